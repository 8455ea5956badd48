/** A long-running command of ours in a test, read line by line. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A running command. */
export interface RunningProcess {
  child: ChildProcess;
  /** The next line of stdout that `matches`, from the earliest one not yet taken. */
  line(matches: (line: string) => boolean): Promise<string>;
  /** Everything written to stderr so far. */
  errors(): string;
  /** Sends SIGINT and waits for the end. */
  stop(): Promise<number | null>;
}

/** Starts a program; `line()` rejects when it ends. */
export function startProcess(
  file: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): RunningProcess {
  const child = spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const lines: string[] = [];
  let wake = () => {};
  let ended = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    wake();
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  void closed.then(() => {
    ended = true;
    wake();
  });
  return {
    child,
    errors: () => errors,
    async line(matches) {
      for (;;) {
        const at = lines.findIndex(matches);
        if (at >= 0) return lines.splice(0, at + 1).at(-1) ?? "";
        if (ended) throw new Error(`${file} ended:\n${errors}`);
        await new Promise<void>((next) => {
          wake = next;
        });
      }
    },
    async stop() {
      if (!ended) child.kill("SIGINT");
      const [code] = await closed;
      return code;
    },
  };
}
