/**
 * The terminal: results go to stdout, all else to stderr. With `--json` a result is one JSON
 * document, and a stream one JSON document per line.
 */
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import pc from "picocolors";
import { printableOutput } from "./printable.ts";

/** The three streams of a process. */
export interface Streams {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean };
}

/** Colours of one stream; they do nothing where none are wanted. */
export type Colors = ReturnType<typeof pc.createColors>;

/** Ctrl-C where a question stood. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/** What commands read from and write to. */
export class Io {
  readonly streams: Streams;
  /** Set once the command line is parsed. */
  json = false;
  /** Of results. */
  readonly colors: Colors;
  /** Of progress and errors. */
  readonly errorColors: Colors;

  constructor(streams: Streams, env: Readonly<Record<string, string | undefined>>) {
    this.streams = streams;
    const wanted = !env["NO_COLOR"] && env["TERM"] !== "dumb";
    this.colors = pc.createColors(wanted && streams.stdout.isTTY === true);
    this.errorColors = pc.createColors(wanted && streams.stderr.isTTY === true);
  }

  /** Prints a result: `value` with `--json`, else `text`. */
  result(value: unknown, text: () => string): void {
    this.print(this.json ? JSON.stringify(value, jsonValue, 2) : text());
  }

  /** Prints one item of a stream: a JSON line with `--json`, else `text`. */
  item(value: unknown, text: () => string): void {
    this.print(this.json ? JSON.stringify(value, jsonValue) : text());
  }

  /** Prints a line on stdout; nothing for an empty text. */
  print(text: string): void {
    const shown = printableOutput(text);
    if (shown !== "") this.streams.stdout.write(shown.endsWith("\n") ? shown : `${shown}\n`);
  }

  /** Says how it goes, on stderr. */
  progress(text: string): void {
    this.streams.stderr.write(`${printableOutput(text)}\n`);
  }

  /** Copies bytes to stdout as they come, no faster than it takes them. */
  async copy(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of bytes) {
      if (!this.streams.stdout.write(chunk)) {
        await new Promise((drained) => this.streams.stdout.once("drain", drained));
      }
    }
  }

  /** Everything on stdin. */
  async readInput(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    this.streams.stdin.on("data", (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
    await finished(this.streams.stdin, { writable: false });
    return Buffer.concat(chunks);
  }

  /** Asks a yes-or-no question on a terminal. Fails with {@link Interrupted}. */
  async confirm(question: string): Promise<boolean> {
    const { createInterface } = await import("node:readline/promises");
    const lines = createInterface({ input: this.streams.stdin, output: this.streams.stderr });
    const answer = await lines
      .question(`${question} [y/N] `)
      .catch(() => Promise.reject(new Interrupted()))
      .finally(() => lines.close());
    return /^y(es)?$/i.test(answer.trim());
  }
}

/** Rows in columns, two spaces between them; a title row when there are titles. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [titles, ...rows];
  const widths = titles.map((_, at) => Math.max(...all.map((row) => visible(row[at] ?? ""))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - visible(cell)))
      .join("  ")
      .trimEnd();
  return all.map(line).join("\n");
}

/** Pairs of name and value, each on its line or lines; empty values are left out. */
export function fields(pairs: readonly (readonly [name: string, value: string])[]): string {
  const shown = pairs.filter(([, value]) => value !== "");
  const width = Math.max(...shown.map(([name]) => name.length));
  const indent = " ".repeat(width + 2);
  const lines = shown.map(([name, value]) => [
    name.padEnd(width),
    value.replaceAll("\n", `\n${indent}`),
  ]);
  return lines.map((line) => line.join("  ")).join("\n");
}

/** Length without colour codes. */
function visible(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes start with ESC
  return text.replaceAll(/\u001b\[[0-9;]*m/g, "").length;
}

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
