/** What must hold for the protos: lint, format, no break on the wire, generated code up to date. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar";
import { protoDir, runBuf, writeRules } from "./buf.ts";

/** Outcome of one check: `problems` is empty when it holds; `skipped` says why it did not run. */
export interface CheckResult {
  problems: string;
  skipped?: string;
}

/** Every element is documented, named and laid out by the rules, and bounded by rules that hold. */
export async function checkLint(): Promise<CheckResult> {
  const { ok, output } = await runBuf(["lint"]);
  return { problems: ok ? "" : output };
}

/** Every file is laid out as `buf format` does it. */
export async function checkFormat(): Promise<CheckResult> {
  const { ok, output } = await runBuf(["format", "--diff", "--exit-code", "--path", "ignite"]);
  return { problems: ok ? "" : output };
}

/** No message of the main branch changes its meaning on the wire or in JSON. */
export async function checkBreaking(): Promise<CheckResult> {
  const base = await mainBranch();
  if (base === undefined) return { problems: "", skipped: "there is no main branch to compare to" };
  return inTemporaryFolder(async (folder) => {
    const archive = join(folder, "main.tar");
    await run("git", ["archive", "--output", archive, `${base}:proto`, "ignite", "buf.yaml"]);
    await extract({ file: archive, cwd: folder });
    await writeRules(folder);
    const { ok, output } = await runBuf(["breaking", "--against", folder]);
    return { problems: ok ? "" : output };
  });
}

/** The files in `gen` are what `npm run generate` would write. */
export async function checkGenerated(): Promise<CheckResult> {
  return inTemporaryFolder(async (folder) => {
    const { ok, output } = await runBuf(["generate", "--output", folder]);
    if (!ok) return { problems: output };
    const fresh = await readTree(join(folder, "gen"));
    const committed = await readTree(join(protoDir, "gen"));
    const paths = [...new Set([...fresh.keys(), ...committed.keys()])].sort();
    const stale = paths.filter((path) => fresh.get(path) !== committed.get(path));
    return { problems: stale.map((path) => `gen/${path} is not up to date.`).join("\n") };
  });
}

/** A name of the main branch, if this is a git checkout whose main branch has the protos. */
async function mainBranch(): Promise<string | undefined> {
  for (const ref of ["origin/main", "main"]) {
    const found = run("git", ["rev-parse", "--verify", "--quiet", `${ref}:proto/buf.yaml`]);
    if (await found.then(() => true).catch(() => false)) return ref;
  }
  return undefined;
}

/** Runs a command in the root of the checkout; `git archive` refuses other folders. */
function run(command: string, args: readonly string[]): Promise<{ stdout: string }> {
  return promisify(execFile)(command, args, { cwd: join(protoDir, "..") });
}

async function inTemporaryFolder<Result>(work: (folder: string) => Promise<Result>) {
  const folder = await mkdtemp(join(tmpdir(), "ignite-proto-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The files under `folder`, by path. */
async function readTree(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const read = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [relative(folder, path), await readFile(path, "utf8")] as const;
  });
  return new Map(await Promise.all(read));
}
