/** `npm run generate` and `npm run lint:proto`. */
import { runBuf } from "./buf.ts";
import { checkBreaking, checkFormat, checkLint } from "./checks.ts";

const usage = "usage: main.ts generate | lint\n";

async function main(command: string | undefined): Promise<number> {
  if (command === "generate") return generate();
  if (command === "lint") return lint();
  process.stderr.write(usage);
  return 2;
}

/** Writes everything in `gen` anew. */
async function generate(): Promise<number> {
  const { ok, output } = await runBuf(["generate"]);
  process.stderr.write(output);
  return ok ? 0 : 1;
}

async function lint(): Promise<number> {
  const results = [await checkLint(), await checkFormat(), await checkBreaking()];
  for (const { problems, skipped } of results) {
    process.stderr.write(problems);
    if (skipped !== undefined)
      process.stderr.write(`Wire compatibility not checked: ${skipped}.\n`);
  }
  return results.every(({ problems }) => problems === "") ? 0 : 1;
}

process.exitCode = await main(process.argv[2]);
