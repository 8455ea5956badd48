/**
 * A jail of bubblewrap: namespaces of its own (no network, no other processes), a file system that
 * holds the program, its libraries, its configuration and the folder of its sockets, no
 * capabilities, a filter on system calls, bounds on files and processes. Started by root, each
 * cell gets a user of its own, and the switch to it is the last thing before workerd.
 */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "../workerd-process.ts";
import type { Cgroups } from "./cgroup.ts";
import type { Jail, JailRequest, OpenJail } from "./jail.ts";

/** The programs and files that this machine has. */
export interface BubblewrapOptions {
  bubblewrap: string;
  setpriv: string;
  prlimit: string;
  /** The system-call filter as a file; undefined when there is none for this architecture. */
  filter: string | undefined;
  /** Whether this process may switch users. */
  isRoot: boolean;
  missing: readonly string[];
  cgroups: Cgroups | undefined;
}

const FIRST_UID = 3_141_000_000; // Far above users of the system and of its containers
const OPEN_FILES_MAX = 4_096;
const PROCESSES_MAX = 128; // Threads of V8 and the I/O loop; about a dozen are used
const TEMPORARY_BYTES_MAX = 16 * 1024 * 1024;
const LIBRARY_FOLDERS = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"] as const;

/** Builds such jails. */
export function bubblewrapJail(options: BubblewrapOptions): Jail {
  const { cgroups, isRoot, missing } = options;
  const ownerOf = (id: string) => {
    if (!isRoot) return undefined;
    const uid = FIRST_UID + Number(id.replace(/\D/g, ""));
    return { uid, gid: uid };
  };
  return {
    missing,
    boundsMemory: cgroups !== undefined,
    ownerOf,
    open: (request) => openJail(options, request, ownerOf(request.id)),
    oomKills: (id) => cgroups?.oomKills(id) ?? 0,
    release: (id) => cgroups?.remove(id),
    close: () => cgroups?.close(),
  };
}

function openJail(
  options: BubblewrapOptions,
  request: JailRequest,
  owner: { uid: number } | undefined,
): OpenJail {
  const { cgroups, filter } = options;
  const entries = cgroups?.create(request.id, request.class) ?? [];
  const descriptor = filter === undefined ? undefined : openSync(filter, "r");
  return {
    launch(command) {
      const filterAt = 3 + command.inherit.length;
      const args = [
        ...limits(options.prlimit),
        options.bubblewrap,
        ...walls(owner !== undefined),
        ...files(options, request, command.file),
        ...(descriptor === undefined ? [] : ["--seccomp", `${filterAt}`]),
        "--",
        ...(owner === undefined ? [] : switchTo(options.setpriv, owner.uid)),
        command.file,
        ...command.args,
      ];
      return {
        ...joinCgroups(entries, args),
        inherit: descriptor === undefined ? command.inherit : [...command.inherit, descriptor],
      };
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

/** Enters the cgroups first, so that everything that follows is counted. */
function joinCgroups(
  entries: readonly string[],
  args: readonly string[],
): Pick<Command, "file" | "args"> {
  const [file = "", ...rest] = args;
  if (entries.length === 0) return { file, args: rest };
  const script = 'while [ "$1" != -- ]; do echo 0 > "$1"; shift; done; shift; exec "$@"';
  return { file: "/bin/sh", args: ["-c", script, "sh", ...entries, "--", ...args] };
}

function limits(prlimit: string): string[] {
  return [prlimit, `--nofile=${OPEN_FILES_MAX}`, "--core=0", `--nproc=${PROCESSES_MAX}`, "--"];
}

function walls(isRoot: boolean): string[] {
  const namespaces = ["pid", "net", "ipc", "uts"].map((name) => `--unshare-${name}`);
  const capabilities = isRoot ? ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"] : [];
  return [
    ...(isRoot ? [] : ["--unshare-user"]),
    ...namespaces,
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
    "--cap-drop",
    "ALL",
    ...capabilities.flatMap((name) => ["--cap-add", name]),
  ];
}

function files(options: BubblewrapOptions, request: JailRequest, program: string): string[] {
  const readable = [program, request.readable, ...(options.isRoot ? [options.setpriv] : [])];
  const folders = new Set([...readable, request.writable].flatMap(ancestors));
  return [
    ...LIBRARY_FOLDERS.flatMap((path) => ["--ro-bind-try", path, path]),
    ...["--perms", "1777", "--size", `${TEMPORARY_BYTES_MAX}`, "--tmpfs", "/tmp"],
    ...Array.from(folders).flatMap((path) => ["--perms", "0755", "--dir", path]),
    ...readable.flatMap((path) => ["--ro-bind", path, path]),
    ...["--bind", request.writable, request.writable],
    ...["--proc", "/proc", "--dev", "/dev", "--chdir", "/"],
  ];
}

function switchTo(setpriv: string, uid: number): string[] {
  return [
    setpriv,
    `--reuid=${uid}`,
    `--regid=${uid}`,
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--no-new-privs",
    "--",
  ];
}

/** The folders above a path, the outermost first; libraries' own are there already. */
function ancestors(path: string): string[] {
  const above: string[] = [];
  for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) above.unshift(folder);
  const given = ["/tmp", ...LIBRARY_FOLDERS];
  return above.filter((folder) => !given.includes(folder));
}

/** Writes the filter where jails read it from. */
export function writeFilter(folder: string, program: Uint8Array): string {
  const path = join(folder, "seccomp.bpf");
  writeFileSync(path, program, { mode: 0o600 });
  return path;
}
