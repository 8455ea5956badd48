/**
 * Finds the deno binary of our dependencies and what a jail for it needs, and fetches the esbuild
 * that `deno bundle` wants once, at set-up, where compiles can then share it read-only.
 */
import { execFile } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { IgniteError } from "../../core/errors.ts";
import { compileMemoryBytesMax } from "../../core/limits.ts";
import { type JailTools, processWithin, type Walls } from "../jail.ts";
import type { Process } from "../ports.ts";

/** Ready to compile. */
export interface Toolchain {
  process: Process;
  /** What `process` is made of. */
  walls: Walls;
  /** Folder with the esbuild that deno bundle takes, as deno lays it out below its cache. */
  downloads: string;
  denoVersion: string;
  /** Whether compiles are walled in; the reason when not. */
  sandbox: { kind: "jailed" } | { kind: "unsandboxed" | "refused"; why: string };
}

/** How to prepare the compiler. */
export interface PrepareOptions {
  /** Folder that may be kept between starts. */
  directory: string;
  /** Compile even where no jail can be built. For development on one's own sources only. */
  unsandboxed: boolean;
  /** The npm registry of this installation; deno's own default when absent. */
  npmRegistry?: string | undefined;
}

const run = promisify(execFile);
const SETUP_TIMEOUT_MS = 120_000; // A download of 4 MB over a slow line
const require = createRequire(import.meta.url);
const PLATFORMS = ["linux-x64-glibc", "linux-arm64-glibc", "darwin-arm64", "darwin-x64"];

/** The deno binary that npm installed. Fails with TOOL_MISSING. */
function findDeno(): string {
  for (const platform of PLATFORMS) {
    try {
      return join(dirname(require.resolve(`@deno/${platform}/package.json`)), "deno");
    } catch {
      // Another platform's package
    }
  }
  throw toolMissing("the deno binary is not installed", "Run `npm install` again.");
}

/**
 * Makes everything ready. The first time it downloads esbuild; later it only looks. Fails with
 * TOOL_MISSING when deno or esbuild cannot be had.
 */
export async function prepareCompiler(options: PrepareOptions): Promise<Toolchain> {
  const deno = findDeno();
  const denoVersion = await versionOf(deno);
  const base = join(options.directory, `deno-${denoVersion}`);
  const downloads = join(base, "dl");
  if (!(await holdsEsbuild(downloads))) await fetchEsbuild(deno, base, options.npmRegistry);
  const tools = await findJailTools(deno);
  const found = typeof tools === "string" ? { why: tools } : await firstWorking(tools);
  const common = { downloads, denoVersion };
  if (found.why === undefined)
    return ready(found.walls, { ...common, sandbox: { kind: "jailed" } });
  const { why } = found;
  return options.unsandboxed
    ? unsandboxed(deno, common, why)
    : ready({ kind: "refused", why }, { ...common, sandbox: { kind: "refused", why } });
}

/** What `ignite dev` needs: the toolchain without any wall, for one's own sources. */
export async function prepareDevCompiler(options: {
  directory: string;
  npmRegistry?: string | undefined;
}): Promise<Toolchain> {
  const deno = findDeno();
  const denoVersion = await versionOf(deno);
  const base = join(options.directory, `deno-${denoVersion}`);
  if (!(await holdsEsbuild(join(base, "dl")))) await fetchEsbuild(deno, base, options.npmRegistry);
  return unsandboxed(deno, { downloads: join(base, "dl"), denoVersion }, "development");
}

type Described = Pick<Toolchain, "downloads" | "denoVersion" | "sandbox">;

function unsandboxed(deno: string, common: Omit<Described, "sandbox">, why: string): Toolchain {
  return ready({ kind: "none", deno }, { ...common, sandbox: { kind: "unsandboxed", why } });
}

function ready(walls: Walls, described: Described): Toolchain {
  return { ...described, walls, process: processWithin(walls) };
}

async function versionOf(deno: string): Promise<string> {
  const manifest = require(join(dirname(deno), "package.json")) as { version: string };
  return manifest.version;
}

async function holdsEsbuild(downloads: string): Promise<boolean> {
  const folders = await readdir(downloads).catch(() => []);
  return folders.some((name) => name.startsWith("esbuild-"));
}

async function fetchEsbuild(deno: string, base: string, npmRegistry: string | undefined) {
  await mkdir(base, { recursive: true, mode: 0o755 });
  const trial = await mkdtemp(join(base, "trial-"));
  try {
    await writeFile(join(trial, "trial.ts"), "export default 1;\n");
    const env = { ...process.env, DENO_DIR: base, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
    const args = ["bundle", "--quiet", "--no-config", "--no-lock", "--platform", "browser"];
    await run(deno, [...args, "--output", join(trial, "trial.js"), join(trial, "trial.ts")], {
      env: npmRegistry === undefined ? env : { ...env, NPM_CONFIG_REGISTRY: npmRegistry },
      timeout: SETUP_TIMEOUT_MS,
    });
  } catch (error) {
    throw toolMissing(
      "esbuild, which deno bundles with, could not be downloaded",
      "Check that this machine reaches its npm registry, then start again.",
      error,
    );
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

/** The programs of a jail, or which one is missing. */
async function findJailTools(deno: string): Promise<JailTools | string> {
  const bwrap = await findProgram("bwrap");
  if (bwrap === undefined) return "bubblewrap (bwrap) is not installed";
  const prlimit = await findProgram("prlimit");
  const isRoot = process.getuid?.() === 0;
  const setpriv = isRoot ? await findProgram("setpriv") : undefined;
  if (isRoot && setpriv === undefined) return "setpriv (util-linux) is not installed";
  const programs = [deno, prlimit, setpriv].filter((path) => path !== undefined);
  return { deno, bwrap, prlimit, setpriv, libraries: await librariesOf(programs) };
}

/** Where a program is, or undefined. */
async function findProgram(name: string): Promise<string | undefined> {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/bin", "/bin", "/usr/sbin"];
  for (const folder of folders.filter((each) => each.startsWith("/"))) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

async function librariesOf(programs: readonly string[]): Promise<string[]> {
  const { stdout } = await run("ldd", [...programs]).catch(() => ({ stdout: "" }));
  const paths = stdout.matchAll(/(?:=> |^\s+)(\/[^\s:]+) \(0x/gm);
  return [...new Set([...paths].map((match) => match[1] ?? ""))].toSorted();
}

/** Root inside a container may not become just anybody; user namespaces are the next best. */
async function firstWorking(
  tools: JailTools,
): Promise<{ walls: Walls; why?: undefined } | { why: string }> {
  const walls: Walls = { kind: "jail", tools };
  const why = await probe(processWithin(walls));
  if (why === undefined) return { walls };
  if (tools.setpriv === undefined) return { why };
  const others: Walls = { kind: "jail", tools: { ...tools, setpriv: undefined } };
  return (await probe(processWithin(others))) === undefined ? { walls: others } : { why };
}

/** Runs deno once in the jail; says what went wrong, or nothing. */
async function probe(jail: Process): Promise<string | undefined> {
  const said: string[] = [];
  const exit = await jail.run({
    args: ["--version"],
    cwd: "/tmp",
    env: {},
    mounts: [],
    owner: "probe",
    signal: AbortSignal.timeout(SETUP_TIMEOUT_MS),
    limits: {
      timeoutMs: 10_000,
      memoryBytes: compileMemoryBytesMax,
      processes: 256,
      fileBytes: 1_000_000,
      logBytes: 100_000,
    },
    onLine: (_, line) => said.push(line),
  });
  if (exit.code === 0) return undefined;
  return `namespaces do not work here (${said.at(-1)?.slice(0, 200) ?? `exit ${exit.code}`})`;
}

function toolMissing(what: string, hint: string, cause?: unknown): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason: "TOOL_MISSING",
    message: `Source cannot be compiled: ${what}.`,
    hint,
    internal: cause instanceof Error ? cause.message : "",
    cause,
  });
}
