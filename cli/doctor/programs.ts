/** Programs that the platform is made of, or is better with. */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../root.ts";
import { bad, type Check, type Finding, good, off } from "./check.ts";

const RUN_TIMEOUT_MS = 10_000;
const NODE_MAJOR_MIN = 24;
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin"];
const run = promisify(execFile);

/** A program of the npm packages, else of the machine. */
async function find(name: string): Promise<string | undefined> {
  const own = join(packageRoot(), "node_modules", ".bin");
  const path = (process.env["PATH"] ?? "").split(delimiter);
  for (const folder of [own, ...path, ...SYSTEM_FOLDERS]) {
    const file = join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

/** The first line that a program prints; undefined when it is absent or fails. */
async function ask(name: string, args: readonly string[]): Promise<string | undefined> {
  const file = await find(name);
  if (file === undefined) return undefined;
  const answer = run(file, [...args], { timeout: RUN_TIMEOUT_MS });
  return answer.then(
    ({ stdout, stderr }) => (stdout || stderr).split("\n")[0]?.trim() || file,
    () => undefined,
  );
}

async function node(): Promise<Finding> {
  const found = await ask("node", ["--version"]);
  const major = Number(/^v(\d+)/.exec(found ?? "")?.[1] ?? 0);
  return major >= NODE_MAJOR_MIN
    ? good("node", found ?? "")
    : bad("node", found ?? "none", "The platform's processes do not start.", "Run `npm install`.");
}

/** A program without which something is missing. */
function program(
  name: string,
  args: readonly string[],
  missing: (name: string, found: string) => Finding,
): Check {
  return async () => {
    const found = await ask(name, args);
    return found === undefined
      ? missing(name, "not installed, or it does not run")
      : good(name, found);
  };
}

const fromNpm = (means: string) => (name: string, found: string) =>
  bad(name, found, means, "Run `npm install`.");
const fromSystem = (means: string, packageName: string) => (name: string, found: string) =>
  off(name, found, means, `Run \`apt-get install ${packageName}\` (or your system's like).`);

/** Whether a sandbox can be made, not only whether the tool is there. */
async function namespaces(): Promise<Finding> {
  const args = ["--ro-bind", "/", "/", "--unshare-all", "--dev", "/dev", "true"];
  const works = await ask("bwrap", args);
  return works === undefined
    ? off(
        "namespaces",
        "bwrap cannot make them",
        "Nothing is compiled, and cells run without walls.",
        "Install bubblewrap, and allow user namespaces (sysctl kernel.unprivileged_userns_clone=1).",
      )
    : good("namespaces", "available");
}

/** Checks of programs. */
export const programChecks: readonly Check[] = [
  node,
  program("workerd", ["--version"], fromNpm("No app runs at the edge.")),
  program("deno", ["--version"], fromNpm("Deno apps cannot be compiled.")),
  program(
    "haproxy",
    ["-v"],
    fromSystem("All organizations share the cells of one trust group.", "haproxy"),
  ),
  program(
    "bwrap",
    ["--version"],
    fromSystem("Nothing is compiled, and cells run without walls.", "bubblewrap"),
  ),
  namespaces,
];
