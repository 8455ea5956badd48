/** Turns the command table into a commander program and a command line into a call. */
import { Argument, Command as Node, CommanderError, Option } from "commander";
import { IgniteError } from "../core/errors.ts";
import { type Command, type CommandEntry, Input, type OptionSpec } from "./command.ts";
import { UsageError } from "./usage-error.ts";
import { CommandContext, type GlobalOptions, type Place } from "./context.ts";
import type { Io } from "./io.ts";

const GLOBAL_OPTIONS = [
  ["--json", "print one JSON document, or one per line for streams"],
  ["--api <url>", "address of the platform (IGNITE_API)"],
  ["--key <key>", "API key (IGNITE_KEY)"],
  ["--org <name>", "organization (IGNITE_ORG)"],
  ["--context <name>", "a context of `ignite context list` (IGNITE_CONTEXT)"],
] as const;
const NOT_IN_RELEASE = "(not in this release)";
const TAKES_VALUE = /^--(api|key|org|context)$/;

/** Help that was asked for and printed; not a failure. */
export class HelpShown extends Error {}

/**
 * Runs a command line (without the program's name). Throws a UsageError for one that cannot be
 * meant so, HelpShown after help, and what the command throws. Answers the exit code.
 */
export async function runProgram(
  entries: readonly CommandEntry[],
  argv: readonly string[],
  place: Place,
): Promise<number> {
  const wanted = entryOf(entries, argv);
  const loaded = wanted && (await wanted.load()).command;
  const root = buildProgram(entries, place.io, (entry) => (entry === wanted ? loaded : undefined));
  let exitCode = 0;
  if (wanted !== undefined && loaded !== undefined) {
    onAction(nodeOf(root, wanted.name), loaded, place, (code) => {
      exitCode = code;
    });
  }
  await parse(root, argv, place.io).catch((error: unknown) => {
    throw wanted?.isLater && isRefusal(error) ? notInRelease(wanted) : error;
  });
  return exitCode;
}

/** Whether the platform said that it does not have it. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, "reason") === "NOT_IMPLEMENTED";
}

function notInRelease({ name }: CommandEntry): IgniteError {
  return new IgniteError({
    code: "unimplemented",
    reason: "NOT_IMPLEMENTED",
    message: `\`ignite ${name}\` is not in this release of the platform.`,
    hint: `\`ignite --help\` shows what is: it marks the rest with ${NOT_IN_RELEASE}.`,
  });
}

/** The program with those commands complete for which `define` answers one. */
export function buildProgram(
  entries: readonly CommandEntry[],
  io: Io,
  define: (entry: CommandEntry) => Command | undefined,
): Node {
  const root = new Node("ignite");
  root.description("Deploy and run apps on Ignite.").usage("<command> [options]");
  configure(root, io);
  for (const [flags, summary] of GLOBAL_OPTIONS) root.option(flags, summary);
  for (const entry of entries) {
    const node = nodeOf(root, entry.name);
    const mark = entry.isLater ? ` ${NOT_IN_RELEASE}` : "";
    node.summary(entry.summary + mark).description(`${entry.summary}${mark}.`);
    const command = define(entry);
    if (command !== undefined) complete(node, command);
  }
  for (const node of root.commands) describe(node, entries);
  root.addHelpText(
    "after",
    "\nRun `ignite <command> --help` for options and examples, `ignite --version` for the version.",
  );
  return root;
}

/** The entry that the words of a command line name: noun and verb, else one word. */
function entryOf(
  entries: readonly CommandEntry[],
  argv: readonly string[],
): CommandEntry | undefined {
  const words: string[] = [];
  for (let at = 0; at < argv.length && words.length < 3; at += 1) {
    const word = argv[at] ?? "";
    if (TAKES_VALUE.test(word)) at += 1;
    else if (!word.startsWith("-")) words.push(word);
  }
  if (words[0] === "help") words.shift();
  const [noun, verb] = words;
  return (
    entries.find(({ name }) => name === `${noun} ${verb}`) ??
    entries.find(({ name }) => name === noun)
  );
}

/** The node of a command, made together with its noun when they are not there yet. */
function nodeOf(root: Node, name: string): Node {
  return name.split(" ").reduce((parent, word) => {
    return parent.commands.find((node) => node.name() === word) ?? parent.command(word);
  }, root);
}

/** Puts a command of the first level under its heading; a noun alone is told by its verbs. */
function describe(node: Node, entries: readonly CommandEntry[]): void {
  const own = entries.filter(({ name }) => name.split(" ")[0] === node.name());
  node.helpGroup(`${own[0]?.group}:`);
  if (node.summary() !== "") return;
  const verbs = own.map(({ name }) => name.split(" ")[1]).join(", ");
  node.summary(own.every(({ isLater }) => isLater) ? `${verbs} ${NOT_IN_RELEASE}` : verbs);
}

function configure(root: Node, io: Io): void {
  const { colors } = io;
  const helpWidth = () => Math.min(io.streams.stdout.columns ?? 100, 100);
  root
    .exitOverride()
    .helpCommand("help [command]", "show help")
    .configureOutput({
      writeOut: (text) => io.streams.stdout.write(text),
      writeErr: (text) => io.streams.stderr.write(text),
      outputError: () => {}, // Usage errors are thrown, and printed in one place
      getOutHelpWidth: helpWidth,
      getErrHelpWidth: helpWidth,
    })
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (text) => colors.bold(text),
      styleCommandText: (text) => colors.cyan(text),
    });
}

function complete(node: Node, command: Command): void {
  for (const { name, summary, optional, variadic, choices } of command.args ?? []) {
    const word = variadic ? `${name}...` : name;
    const argument = new Argument(optional ? `[${word}]` : `<${word}>`, summary);
    if (choices !== undefined) argument.choices([...choices]);
    node.addArgument(argument);
  }
  for (const option of command.options ?? []) node.addOption(optionOf(option));
  if (command.details !== undefined) {
    node.description(`${node.description()}\n\n${command.details}`);
  }
  const width = Math.max(...command.examples.map(([line]) => line.length));
  const examples = command.examples.map(
    ([line, effect]) => `  $ ${line.padEnd(width)}  # ${effect}`,
  );
  node.addHelpText("after", `\nExamples:\n${examples.join("\n")}`);
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.summary);
  if (spec.choices !== undefined) option.choices([...spec.choices]);
  if (spec.fallback !== undefined) option.default(spec.fallback);
  if (spec.repeatable) {
    option.argParser((value: string, all: string[] | undefined) => [...(all ?? []), value]);
  }
  return option;
}

function onAction(
  node: Node,
  command: Command,
  place: Place,
  onEnd: (exitCode: number) => void,
): void {
  node.action(async () => {
    const all = node.optsWithGlobals<GlobalOptions>();
    place.io.json = all.json === true;
    const specs = command.args ?? [];
    const args = new Map(specs.map(({ name }, at) => [name, node.processedArgs[at]]));
    const context = new CommandContext(place, all);
    await command.run(context, new Input(args, node.opts()));
    onEnd(context.exitCode);
  });
}

async function parse(root: Node, argv: readonly string[], io: Io): Promise<void> {
  io.json = argv.includes("--json");
  try {
    await root.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new HelpShown();
    if (error.code === "commander.help") throw new HelpShown("usage");
    throw new UsageError(sentence(error.message), helpOf(root, argv));
  }
}

function sentence(message: string): string {
  const text = message.replace(/^error: /, "").replaceAll("\n", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The help of the innermost command that the words name. */
function helpOf(root: Node, argv: readonly string[]): string {
  const words = argv.filter((word) => !word.startsWith("-"));
  const noun = root.commands.find((one) => words.includes(one.name()));
  const verb = noun?.commands.find((one) => words.includes(one.name()));
  const names = ["ignite", noun?.name(), verb?.name()].filter((name) => name !== undefined);
  return `${names.join(" ")} --help`;
}
