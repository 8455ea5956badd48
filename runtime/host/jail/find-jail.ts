/** Chooses the best walls that this machine has, by trying them. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { findProgram } from "../programs.ts";
import { bubblewrapJail, writeFilter } from "./bubblewrap.ts";
import { cgroupsOf } from "./cgroup.ts";
import { type Jail, openAir } from "./jail.ts";
import { type Architecture, seccompProgram } from "./seccomp.ts";

const TRIAL_TIMEOUT_MS = 10_000;

/** The jail for this machine. `folder` keeps what jails need, and names this platform's cgroups. */
export function findJail(folder: string): Jail {
  if (process.platform !== "linux") return openAir([`a jail on ${process.platform}`]);
  const programs = { bubblewrap: "bwrap", setpriv: "setpriv", prlimit: "prlimit" } as const;
  const bubblewrap = findProgram(programs.bubblewrap);
  const setpriv = findProgram(programs.setpriv);
  const prlimit = findProgram(programs.prlimit);
  if (bubblewrap === undefined) return openAir(["bubblewrap"]);
  if (setpriv === undefined || prlimit === undefined) return openAir(["util-linux"]);
  const isRoot = process.getuid?.() === 0;
  if (!canUnshare(bubblewrap, isRoot)) return openAir(["namespaces"]);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const architecture = architectureOf(process.arch);
  const filter = architecture && writeFilter(folder, seccompProgram(architecture));
  const cgroups = cgroupsOf(
    `ignite-${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`,
  );
  const missing = [
    ...(isRoot ? [] : ["a user per cell (start as root)"]),
    ...(filter === undefined ? [`a system call filter for ${process.arch}`] : []),
    ...(cgroups === undefined ? ["memory and process cgroups"] : []),
  ];
  return bubblewrapJail({ bubblewrap, setpriv, prlimit, filter, isRoot, missing, cgroups });
}

function architectureOf(name: string): Architecture | undefined {
  return name === "x64" || name === "arm64" ? name : undefined;
}

function canUnshare(bubblewrap: string, isRoot: boolean): boolean {
  const user = isRoot ? [] : ["--unshare-user"];
  const args = [
    ...user,
    "--unshare-pid",
    "--unshare-net",
    "--ro-bind",
    "/",
    "/",
    "--",
    "/bin/true",
  ];
  const { status } = spawnSync(bubblewrap, args, { timeout: TRIAL_TIMEOUT_MS, stdio: "ignore" });
  return status === 0;
}
