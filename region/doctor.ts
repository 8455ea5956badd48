/** What this machine has of what compiling needs; `ignite doctor` prints it. */
import { findDeno, findProgram, prepareCompiler } from "../compiler/deno/toolchain.ts";
import { IgniteError } from "../core/errors.ts";

/** One finding. `fix` says what to do when it is not `ok`. */
export interface Finding {
  name: string;
  ok: boolean;
  detail: string;
  fix?: string;
}

const PROGRAMS = [
  { name: "bwrap", fix: "apt-get install bubblewrap", purpose: "walls compiles in" },
  { name: "prlimit", fix: "apt-get install util-linux", purpose: "bounds compiles" },
  { name: "setpriv", fix: "apt-get install util-linux", purpose: "gives compiles their own user" },
];

/** Looks for the tools and tries the jail. `directory` is where the compiler keeps its own. */
export async function examineCompiler(directory: string): Promise<Finding[]> {
  const programs = PROGRAMS.map(async ({ name, fix, purpose }): Promise<Finding> => {
    const path = await findProgram(name);
    return path === undefined
      ? { name, ok: false, detail: `not found; it ${purpose}`, fix }
      : { name, ok: true, detail: path };
  });
  return [...(await Promise.all(programs)), denoFinding(), await jailFinding(directory)];
}

function denoFinding(): Finding {
  try {
    return { name: "deno", ok: true, detail: findDeno() };
  } catch (error) {
    return { name: "deno", ok: false, detail: IgniteError.from(error).message, fix: "npm install" };
  }
}

async function jailFinding(directory: string): Promise<Finding> {
  const name = "compiler jail";
  try {
    const { sandbox } = await prepareCompiler({ directory, unsandboxed: false });
    if (sandbox.kind === "jailed") return { name, ok: true, detail: "works" };
    const fix = "Allow user namespaces, or run as root with bubblewrap installed.";
    return { name, ok: false, detail: sandbox.why, fix };
  } catch (error) {
    const { message, hint } = IgniteError.from(error);
    return { name, ok: false, detail: message, ...(hint === undefined ? {} : { fix: hint }) };
  }
}
