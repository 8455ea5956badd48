import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../root.ts";

/** How a command ended. */
export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** What a command is run with. */
export interface RunOptions {
  cwd: string;
  env?: Readonly<Record<string, string>>;
  stdin?: string;
}

/** Runs the real command line in a process of its own, with nothing of our environment. */
export function runCli(words: readonly string[], options: RunOptions): Promise<Ended> {
  const main = join(packageRoot(), "cli", "bin.mjs");
  const env = { PATH: process.env["PATH"], HOME: options.cwd, ...options.env };
  const child = spawn(process.execPath, [main, ...words], { cwd: options.cwd, env });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.end(options.stdin ?? "");
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (exitCode) => done({ exitCode, stdout, stderr }));
  });
}

/** An empty folder, and a way to be rid of it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "ignite-cli-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
