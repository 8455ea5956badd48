/**
 * What the compiler needs of the machine: files, and processes that it does not trust. Real forms
 * are `node-file-system.ts` and `jail.ts`; tests of passes use the memory forms below.
 */

/** Reads one tree of regular files. Paths are relative, `/`-separated, without `.` or `..`. */
export interface FileSystem {
  /** All regular files, sorted by code unit. Links and special files are left out. */
  list(): Promise<readonly string[]>;
  /** The bytes of a file, or undefined when it is not a regular file of the tree. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** How many bytes it has; undefined as with `read`. */
  size(path: string): Promise<number | undefined>;
}

/** A folder of the host that a process sees at `guest`. */
export interface Mount {
  host: string;
  guest: string;
  writable: boolean;
}

/** Bounds of one process and all its children. */
export interface ProcessLimits {
  timeoutMs: number;
  memoryBytes: number;
  processes: number;
  /** Largest file it may write. */
  fileBytes: number;
  /** Most it may print. */
  logBytes: number;
}

/** A run of the deno toolchain. Arguments and environment name guest paths only. */
export interface Command {
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  mounts: readonly Mount[];
  limits: ProcessLimits;
  /** Owner of the process where the platform runs as root; equal names get an equal user. */
  owner: string;
  signal: AbortSignal;
  /** Called with every whole line it prints, as it comes. */
  onLine(stream: "stdout" | "stderr", line: string): void;
}

/** How a process ended. `stopped` says that we ended it, and why. */
export interface Exit {
  code: number | undefined;
  stopped: "timeout" | "memory" | "output" | "cancelled" | undefined;
}

/** Runs commands apart from everything else. Fails with TOOL_MISSING when it cannot. */
export interface Process {
  /** Whether it sees guest paths; else it sees the host's, and what it writes names those. */
  readonly walled: boolean;
  run(command: Command): Promise<Exit>;
}

/** A tree that lives in memory. */
export function memoryFileSystem(files: Readonly<Record<string, string | Uint8Array>>): FileSystem {
  const encoder = new TextEncoder();
  const entries = new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      typeof content === "string" ? encoder.encode(content) : content,
    ]),
  );
  return {
    list: async () => [...entries.keys()].toSorted(),
    read: async (path) => entries.get(path),
    size: async (path) => entries.get(path)?.length,
  };
}

/** A process that only says what it is told to, and remembers what it was asked. */
export function memoryProcess(
  answer: (command: Command) => Promise<Exit> | Exit,
): Process & { readonly commands: readonly Command[] } {
  const commands: Command[] = [];
  return {
    commands,
    walled: true,
    async run(command) {
      commands.push(command);
      return answer(command);
    },
  };
}
