/** Watches one process of the compiler: lines as they come, time, memory, output, cancellation. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { IgniteError } from "../core/errors.ts";
import type { Command, Exit } from "./ports.ts";

/** What to start, and the command it is for. */
export interface Supervised {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string;
  command: Command;
}

const MEMORY_CHECK_MS = 100;
const PAGE_BYTES = 4_096;
const LINE_CHARACTERS_MAX = 16_384;
// biome-ignore lint/suspicious/noControlCharactersInRegex: some lines are coloured all the same
const COLOURS = /\u001b\[[0-9;]*m/g;

/** Runs it to its end. Fails with TOOL_MISSING when it cannot be started. */
export async function supervise(what: Supervised): Promise<Exit> {
  const { command } = what;
  if (command.signal.aborted) return { code: undefined, stopped: "cancelled" };
  const child = spawn(what.program, what.args, {
    env: what.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // A group of its own, so that all of it can be ended
    ...(what.cwd === undefined ? {} : { cwd: what.cwd }),
  });
  let stopped: Exit["stopped"];
  const stop = (why: NonNullable<Exit["stopped"]>) => {
    stopped ??= why;
    endGroup(child);
  };
  const onAbort = () => stop("cancelled");
  command.signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => stop("timeout"), command.limits.timeoutMs);
  const memory = watchMemory(child, command.limits.memoryBytes, () => stop("memory"));
  const budget = { left: command.limits.logBytes };
  try {
    const [code] = await Promise.all([
      exitOf(child),
      lines(
        child.stdout,
        budget,
        (line) => command.onLine("stdout", line),
        () => stop("output"),
      ),
      lines(
        child.stderr,
        budget,
        (line) => command.onLine("stderr", line),
        () => stop("output"),
      ),
    ]);
    return { code, stopped };
  } finally {
    clearTimeout(timer);
    clearInterval(memory);
    command.signal.removeEventListener("abort", onAbort);
    endGroup(child);
  }
}

function exitOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(
        new IgniteError({
          code: "unavailable",
          reason: "TOOL_MISSING",
          message: "The compiler could not be started on this machine.",
          hint: "Run `ignite doctor`.",
          internal: error.message,
          cause: error,
        }),
      ),
    );
    child.once("close", (code) => resolve(code ?? undefined));
  });
}

async function lines(
  stream: Readable,
  budget: { left: number },
  onLine: (line: string) => void,
  onTooMuch: () => void,
): Promise<void> {
  stream.on("data", (chunk: Buffer) => {
    budget.left -= chunk.length;
    if (budget.left < 0) onTooMuch();
  });
  for await (const line of createInterface({ input: stream })) {
    if (budget.left >= 0) onLine(line.replace(COLOURS, "").slice(0, LINE_CHARACTERS_MAX));
  }
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // All of it has ended
  }
}

/** Resident memory of all descendants; address-space limits would break V8's reservations. */
function watchMemory(child: ChildProcess, limitBytes: number, onOver: () => void) {
  return setInterval(async () => {
    if (child.pid === undefined || child.exitCode !== null) return;
    const used = await residentBytes(child.pid).catch(() => 0);
    if (used > limitBytes) onOver();
  }, MEMORY_CHECK_MS);
}

async function residentBytes(pid: number): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, "utf8");
  const own = Number(statm.split(" ")[1]) * PAGE_BYTES;
  const threads = await readdir(`/proc/${pid}/task`);
  const children = await Promise.all(
    threads.map((thread) =>
      readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => ""),
    ),
  );
  const pids = children.flatMap((text) => text.split(" ")).filter((text) => text.trim() !== "");
  const sizes = await Promise.all(pids.map((each) => residentBytes(Number(each)).catch(() => 0)));
  return sizes.reduce((sum, size) => sum + size, own);
}
