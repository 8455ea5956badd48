/**
 * The walls around the deno toolchain. Compiling reads whatever a stranger's source names, so the
 * process sees nothing but its own programs, the mounts of the command and a private `/tmp`: no
 * host file, no network, no other process, no environment. bubblewrap makes the namespaces; where
 * the platform runs as root, setpriv then drops to a user of its own; prlimit bounds files and
 * processes; time, memory and output are watched from here.
 */
import { chown, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { IgniteError } from "../core/errors.ts";
import { supervise } from "./jail-watch.ts";
import type { Command, Exit, Mount, Process } from "./ports.ts";

/** The program of a jail, and what the machine offers to build one. */
export interface JailTools {
  /** Absolute path of the deno binary. */
  deno: string;
  /** Shared libraries of the programs inside, absolute paths. */
  libraries: readonly string[];
  bwrap: string;
  prlimit: string | undefined;
  /** Set when the platform is root and may become another user. */
  setpriv: string | undefined;
}

/** How commands are run, as data that another thread can take. */
export type Walls =
  | { kind: "jail"; tools: JailTools }
  | { kind: "none"; deno: string }
  | { kind: "refused"; why: string };

/** Where mounts of the toolchain itself appear inside. */
export const guestDeno = "/bin/deno";
const GUEST_SETPRIV = "/bin/setpriv";
const GUEST_LIMIT = "/bin/prlimit";
const UID_BASE = 1_640_000_000; // Far from people, services and subordinate ids
const UID_COUNT = 10_000_000;
const TMP_BYTES_MAX = 256 * 1024 * 1024; // It is memory
const OPEN_FILES_MAX = 4_096;

/** Runs commands as `walls` say. */
export function processWithin(walls: Walls): Process {
  switch (walls.kind) {
    case "jail":
      return jailedProcess(walls.tools);
    case "none":
      return unsandboxedProcess(walls.deno);
    case "refused":
      return refusingProcess(walls.why);
  }
}

/** Runs commands in bubblewrap. */
function jailedProcess(tools: JailTools): Process {
  return {
    walled: true,
    async run(command: Command): Promise<Exit> {
      const uid = tools.setpriv === undefined ? undefined : uidOf(command.owner);
      if (uid !== undefined) await giveWritable(command.mounts, uid);
      const argv = jailArguments(tools, command, uid);
      return supervise({ program: tools.bwrap, args: argv, env: {}, command });
    },
  };
}

/** Runs commands without walls, for development on one's own machine only. */
function unsandboxedProcess(deno: string): Process {
  return {
    walled: false,
    async run(command: Command): Promise<Exit> {
      await linkNested(command.mounts);
      const toHost = translator(command.mounts.map((mount) => [mount.guest, mount.host]));
      const toGuest = translator(command.mounts.map((mount) => [mount.host, mount.guest]));
      const own = Object.entries(command.env).map(([name, value]) => [name, toHost(value)]);
      // Certificates, proxies and registries of the developer's machine count here
      const env = { ...process.env, ...Object.fromEntries(own) } as Record<string, string>;
      return supervise({
        program: deno,
        args: command.args.map(toHost),
        env,
        cwd: toHost(command.cwd),
        command: {
          ...command,
          onLine: (stream, line) => command.onLine(stream, toGuest(line)),
        },
      });
    },
  };
}

/** A process that refuses: what is used where no walls can be built. */
function refusingProcess(why: string): Process {
  return {
    walled: true,
    async run() {
      throw new IgniteError({
        code: "unavailable",
        reason: "TOOL_MISSING",
        message: `Source cannot be compiled safely on this machine: ${why}.`,
        hint: "Run `ignite doctor`; it names the package to install.",
      });
    },
  };
}

/** The user that runs commands of one owner; stable, so that its caches stay its own. */
export function uidOf(owner: string): number {
  let hash = 2_166_136_261; // FNV-1a
  for (const byte of new TextEncoder().encode(owner)) {
    hash = Math.imul(hash ^ byte, 16_777_619) >>> 0;
  }
  return UID_BASE + (hash % UID_COUNT);
}

async function giveWritable(mounts: readonly Mount[], uid: number): Promise<void> {
  const writable = mounts.filter((mount) => mount.writable);
  await Promise.all(writable.map((mount) => chown(mount.host, uid, uid)));
}

function jailArguments(tools: JailTools, command: Command, uid: number | undefined): string[] {
  const bind = ({ host, guest, writable }: Mount) => [
    writable ? "--bind" : "--ro-bind",
    host,
    guest,
  ];
  const programs: Mount[] = [
    ...tools.libraries.map((path) => ({ host: path, guest: path, writable: false })),
    { host: tools.deno, guest: guestDeno, writable: false },
    ...optional(uid === undefined ? undefined : tools.setpriv, GUEST_SETPRIV),
    ...optional(tools.prlimit, GUEST_LIMIT),
  ];
  const mounts = [...programs, ...command.mounts];
  return [
    ...namespaces(uid !== undefined),
    ...parents(mounts.map((mount) => mount.guest)).flatMap((path) => [
      "--perms",
      "0755",
      "--dir",
      path,
    ]),
    ...["--dev", "/dev", "--perms", "1777", "--size", String(TMP_BYTES_MAX), "--tmpfs", "/tmp"],
    ...mounts.flatMap(bind),
    ...["--remount-ro", "/", "--clearenv"],
    ...Object.entries({ HOME: "/tmp", ...command.env }).flatMap(([k, v]) => ["--setenv", k, v]),
    ...["--chdir", command.cwd, "--hostname", "compiler", "--"],
    ...rlimits(tools, command),
    ...user(uid),
    guestDeno,
    ...command.args,
  ];
}

function namespaces(root: boolean): string[] {
  const shared = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"];
  const always = [...shared, "--unshare-cgroup-try", "--die-with-parent", "--new-session"];
  const drop = ["--cap-drop", "ALL"];
  // Root keeps just what setpriv needs to become somebody else, and loses it by that.
  return root
    ? [...always, ...drop, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    : [...always, "--unshare-user", ...drop, "--uid", "1000", "--gid", "1000"];
}

function user(uid: number | undefined): string[] {
  if (uid === undefined) return [];
  const ids = ["--reuid", String(uid), "--regid", String(uid), "--clear-groups"];
  return [GUEST_SETPRIV, ...ids, "--inh-caps=-all", "--no-new-privs"];
}

function rlimits(tools: JailTools, command: Command): string[] {
  if (tools.prlimit === undefined) return [];
  const { processes, fileBytes } = command.limits;
  const bounds = [`--nproc=${processes}`, `--fsize=${fileBytes}`, `--nofile=${OPEN_FILES_MAX}`];
  return [GUEST_LIMIT, ...bounds, "--core=0"];
}

/** Every folder above the mounts, since bubblewrap makes missing ones for root's eyes only. */
function parents(paths: readonly string[]): string[] {
  const all = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/").slice(1, -1);
    for (const at of parts.keys()) all.add(`/${parts.slice(0, at + 1).join("/")}`);
  }
  return [...all].toSorted();
}

function optional(host: string | undefined, guest: string): Mount[] {
  return host === undefined ? [] : [{ host, guest, writable: false }];
}

/** Where mounts stand in one another, a link does what the mount would have done. */
async function linkNested(mounts: readonly Mount[]): Promise<void> {
  for (const inner of mounts) {
    const outer = mounts.find((each) => each.guest === dirname(inner.guest));
    if (outer === undefined) continue;
    await symlink(inner.host, join(outer.host, basename(inner.guest))).catch((error) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
  }
}

/** Replaces path prefixes, the longest first. */
function translator(pairs: readonly (readonly [string, string])[]): (text: string) => string {
  const ordered = pairs.toSorted((a, b) => b[0].length - a[0].length);
  return (text) => ordered.reduce((done, [from, to]) => done.replaceAll(from, to), text);
}
