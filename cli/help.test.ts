/** The words of every help page, as golden files: wording is reviewed like code. */
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { Command as Node } from "commander";
import { commands } from "./commands.ts";
import { complete } from "./completion.ts";
import { Io } from "./io.ts";
import { buildProgram, HelpShown, runProgram } from "./program.ts";

/** Runs a command line in process and answers what it printed. */
async function print(words: readonly string[]): Promise<string> {
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  const io = new Io(streams, {});
  const place = { io, env: {}, cwd: "/", sources: { folder: "/" } };
  await expect(runProgram(commands, words, place)).rejects.toBeInstanceOf(HelpShown);
  return String(streams.stdout.read() ?? streams.stderr.read());
}

test("ignite --help groups all commands", async () => {
  await expect(await print(["--help"])).toMatchFileSnapshot("golden/help/ignite.txt");
});

test("ignite without a command shows the help on stderr", async () => {
  expect(await print([])).toBe(await print(["--help"]));
});

for (const { name } of commands) {
  test(`ignite ${name} --help has a summary, options and examples`, async () => {
    const file = `golden/help/${name.replace(" ", "-")}.txt`;
    await expect(await print([...name.split(" "), "--help"])).toMatchFileSnapshot(file);
  });
}

test("examples of every command parse as that command", async () => {
  for (const entry of commands) {
    const { command } = await entry.load();
    expect(command.examples.length, entry.name).toBeGreaterThan(0);
    const lines = command.examples
      .map(([line]) => line)
      .filter((line) => line.startsWith("ignite "));
    for (const line of lines) await expectToParse(entry, command, line);
  }
});

async function expectToParse(
  entry: (typeof commands)[number],
  command: Awaited<ReturnType<(typeof commands)[number]["load"]>>["command"],
  line: string,
) {
  const io = new Io(
    { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
    {},
  );
  const program = buildProgram(commands, io, (one) => (one === entry ? command : undefined));
  let ran = false;
  nodeOf(program, entry.name).action(() => {
    ran = true;
  });
  await program.parseAsync(wordsOf(line), { from: "user" });
  expect(ran, line).toBe(true);
}

function nodeOf(program: Node, name: string): Node {
  return name.split(" ").reduce((node, word) => {
    const found = node.commands.find((one) => one.name() === word);
    if (found === undefined) throw new Error(`no command ${name}`);
    return found;
  }, program);
}

/** The words of a shell line, up to a redirection, with quotes taken off. */
function wordsOf(line: string): string[] {
  const [command = ""] = line.split(/ [<>] /);
  const words = command.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  return words.slice(1).map((word) => word.replaceAll(/^['"]|['"]$/g, ""));
}

test("complete() answers commands, options and choices", async () => {
  const lines: string[] = [];
  const log = console.log;
  console.log = (line: string) => lines.push(line);
  try {
    const io = new Io(
      { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
      {},
    );
    await complete(commands, io, ["complete", "--", "secrets", ""]);
    await complete(commands, io, ["complete", "--", "init", "--template", ""]);
  } finally {
    console.log = log;
  }
  expect(lines).toContain("put\tAdd a version to a secret (not in this release)");
  expect(lines.map((line) => line.trim())).toContain("python");
});
