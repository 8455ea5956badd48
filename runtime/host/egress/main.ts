/**
 * Egress as a process. The first line on stdin is its configuration, each further one a command of
 * README.md; answers go to stdout. It ends with stdin or on SIGTERM, with status 1 when it could
 * not start.
 */
import { createInterface } from "node:readline";
import { IgniteError } from "../../../core/errors.ts";
import { jsonLog } from "../../../core/log.ts";
import { type Egress, type EgressOptions, startEgress } from "./egress.ts";

/** A line on stdin after the first. */
interface Command {
  add?: { cell: string; socket: string };
  remove?: { cell: string };
  counters?: true;
}

process.env["UV_THREADPOOL_SIZE"] ??= "16"; // The system's resolver takes a thread for each name
const log = jsonLog((line) => process.stderr.write(`${line}\n`));
const input = createInterface({ input: process.stdin });
let egress: Egress | undefined;
let lines = Promise.resolve();

input.on("line", (line) => {
  lines = lines.then(() => onLine(line)); // One after the other, so that `remove` follows its `add`
});
input.once("close", stop);
process.once("SIGTERM", stop);
process.once("SIGINT", stop);

async function onLine(line: string): Promise<void> {
  try {
    if (egress === undefined) start(JSON.parse(line) as EgressOptions);
    else await obey(egress, JSON.parse(line) as Command);
  } catch (error) {
    const { reason, message, internal } = IgniteError.from(error);
    log.error(message, { reason, internal });
    if (egress !== undefined) return;
    process.exitCode = 1;
    process.stdin.destroy();
  }
}

function start(options: EgressOptions): void {
  egress = startEgress(options);
  tell({ ready: true, pid: process.pid });
}

async function obey(running: Egress, { add, remove, counters }: Command): Promise<void> {
  if (add !== undefined) {
    await running.open(add.cell, add.socket);
    tell({ added: add.cell });
  }
  if (remove !== undefined) {
    await running.close(remove.cell);
    tell({ removed: remove.cell });
  }
  if (counters === true) tell({ counters: running.counters() });
}

function tell(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function stop(): Promise<void> {
  await lines;
  await egress?.stop();
  process.exit();
}
