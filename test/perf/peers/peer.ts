/**
 * A server that we compare with: one process on a free loopback port, ended by {@link Peer.stop}.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { processTree } from "../processes.ts";

/** A running peer. */
export interface Peer {
  port: number;
  /** Its process and their children. */
  pids(): number[];
  stop(): Promise<void>;
}

/** How to start one. */
export interface PeerProgram {
  file: string;
  args: readonly string[];
  /** Files of its folder, which is its working directory. */
  files: Readonly<Record<string, string>>;
  /** The descriptor it tells its port on: a JSON line with `port`. */
  readyOn: 1 | 3;
}

const READY_TIMEOUT_MS = 20_000;

/** What every peer and our own app answer. */
export const greeting = "Hello from Ignite\n";

/** Starts a program in a folder of its own and waits for its port. */
export async function startPeer({ file, args, files, readyOn }: PeerProgram): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), "ignite-peer-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const child = spawn(file, args, {
    cwd: folder,
    stdio: ["ignore", readyOn === 1 ? "pipe" : "ignore", "inherit", "pipe"],
  });
  const stop = async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const port = await portOf(child, child.stdio[readyOn] as Readable);
    return { port, pids: () => processTree(child.pid ?? 0).map(({ pid }) => pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function portOf(child: ChildProcess, input: Readable): Promise<number> {
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
  const ended = once(child, "exit", { signal }).then(([code]) => {
    throw new Error(`${child.spawnfile} ended with ${code}`);
  });
  const told = once(createInterface({ input }), "line", { signal }).then(
    ([line]) => (JSON.parse(line as string) as { port: number }).port,
  );
  ended.catch(() => {});
  return Promise.race([told, ended]);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
