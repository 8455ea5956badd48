/** The command line: the only place where errors become text and exit codes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { commands } from "./commands.ts";
import { Interrupted, Io } from "./io.ts";
import { HelpShown, runProgram } from "./program.ts";
import { packageRoot } from "./root.ts";

const { argv, env, stdin, stdout, stderr } = process;
const io = new Io({ stdin, stdout, stderr }, env);
const sources = { folder: process.cwd() };

// The reader of a pipe may leave early, as in `ignite logs hello -f | head`
stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

process.exitCode = await main(argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words[0] === "--version" || words[0] === "-V") return printVersion();
  try {
    if (words[0] === "complete") {
      await complete(words);
      return 0;
    }
    return await runProgram(commands, words, { io, env, cwd: sources.folder, sources, complete });
  } catch (error) {
    if (error instanceof HelpShown) return error.message === "usage" ? 2 : 0;
    if (error instanceof Interrupted) {
      io.progress("");
      return 130; // As shells have it
    }
    return fail(error);
  }
}

async function complete(words: readonly string[]): Promise<void> {
  const completion = await import("./completion.ts");
  await completion.complete(commands, io, words);
}

async function printVersion(): Promise<number> {
  const manifest = JSON.parse(await readFile(join(packageRoot(), "package.json"), "utf8"));
  io.print(manifest.version);
  return 0;
}

async function fail(error: unknown): Promise<number> {
  const { printReport, reportOf } = await import("./report.ts");
  const report = reportOf(error);
  if (env["IGNITE_DEBUG"] && error instanceof Error) io.progress(error.stack ?? "");
  const source = (file: string) =>
    readFile(join(sources.folder, file), "utf8").catch(() => undefined);
  await printReport(io, report, source);
  return report.exitCode;
}
