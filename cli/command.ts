/**
 * A command is data: what it is called, what it takes, examples, and what to run. The table in
 * `commands.ts` names them all; the module of one is loaded only when it is asked for, so that a
 * start stays cheap however many there are.
 */
import type { CommandContext } from "./context.ts";
import { UsageError } from "./usage-error.ts";

/** A word that a command takes. */
export interface ArgumentSpec {
  name: string;
  summary: string;
  optional?: boolean;
  /** Takes all remaining words. */
  variadic?: boolean;
  choices?: readonly string[];
}

/** An option that a command takes. */
export interface OptionSpec {
  /** As commander writes them: `-m, --message <text>`, `--no-publish`. */
  flags: string;
  summary: string;
  fallback?: string;
  choices?: readonly string[];
  /** May be given several times. */
  repeatable?: boolean;
}

/** What a command's module exports as `command`. */
export interface Command {
  args?: readonly ArgumentSpec[];
  options?: readonly OptionSpec[];
  /** More than the summary says; shown by `--help`. */
  details?: string;
  /** Command lines that work, each with what it does. */
  examples: readonly (readonly [line: string, effect: string])[];
  /** Does it. Throwing ends the process with 1, a {@link UsageError} with 2. */
  run(context: CommandContext, input: Input): Promise<void>;
}

/** A row of the command table. */
export interface CommandEntry {
  /** One word, or a noun and a verb: `secrets put`. */
  name: string;
  summary: string;
  /** Under which heading of `ignite --help` it stands. */
  group: CommandGroup;
  /** Set for what the platform of this release refuses; later ones may not. */
  isLater?: boolean;
  load(): Promise<{ command: Command }>;
}

/** A heading of `ignite --help`; they stand in the order of the table. */
export type CommandGroup =
  | "Start"
  | "Ship"
  | "Run"
  | "Builds"
  | "Secrets"
  | "Organization"
  | "Machine";

/** What was typed, after parsing. */
export class Input {
  readonly #args: ReadonlyMap<string, string | readonly string[] | undefined>;
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(
    args: ReadonlyMap<string, string | readonly string[] | undefined>,
    options: Readonly<Record<string, unknown>>,
  ) {
    this.#args = args;
    this.#options = options;
  }

  /** An argument that may be left out. */
  arg(name: string): string | undefined {
    const value = this.#args.get(name);
    return typeof value === "string" ? value : undefined;
  }

  /** An argument that the parser requires. */
  required(name: string): string {
    const value = this.arg(name);
    if (value === undefined) throw new UsageError(`The argument ${name} is missing.`);
    return value;
  }

  /** The words of a variadic argument. */
  rest(name: string): readonly string[] {
    const value = this.#args.get(name);
    return Array.isArray(value) ? value : [];
  }

  /** The value of an option such as `--message <text>`, by its camel-cased long name. */
  text(name: string): string | undefined {
    const value = this.#options[name];
    return typeof value === "string" ? value : undefined;
  }

  /** Whether an option without value was given; `--no-x` makes `x` false. */
  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  /** All values of a repeatable option. */
  list(name: string): readonly string[] {
    const value = this.#options[name];
    return Array.isArray(value) ? value : [];
  }

  /** A whole number from `minimum` on. Throws a UsageError when it is none. */
  number(name: string, minimum = 0): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum) return value;
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`--${flag} takes a whole number from ${minimum} on, not "${text}".`);
  }

  /** An argument that is the id of an execution. Throws a UsageError when it is none. */
  executionId(text: string): string {
    if (/^exe_[0-9a-z]+$/.test(text)) return text;
    throw new UsageError(`"${text}" is not the id of an execution, which looks like exe_01j9….`);
  }

  /** A version such as `v3` or `3`. Throws a UsageError when it is none. */
  version(text: string | undefined): number {
    const match = /^v?([1-9][0-9]{0,8})$/.exec(text ?? "");
    if (match === null) throw new UsageError(`"${text}" is not a version. Write v3, or 3.`);
    return Number(match[1]);
  }
}
