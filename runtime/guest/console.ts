/** The console of an app, which writes to its log. */
import { formatParts, inspect } from "./inspect.ts";
import { defineLazyGlobal } from "./lazy-global.ts";
import type { GuestLog, GuestLogLevel } from "./log.ts";
import { nowMs } from "./natives.ts";

/**
 * Puts our own object in place of the native console, which nothing leads to afterwards. It is
 * made late, when an app may have changed the language's own functions: then its console breaks,
 * and still does not become the native one.
 */
export function installConsole(write: GuestLog): void {
  defineLazyGlobal("console", () => makeConsole(write));
}

function makeConsole(write: GuestLog): Record<string, unknown> {
  let indent = "";
  const lines =
    (level: GuestLogLevel) =>
    (...parts: unknown[]) => {
      const text = formatParts(parts);
      write(level, indent === "" ? text : indent + text.replaceAll("\n", `\n${indent}`));
    };
  const group = (...parts: unknown[]) => {
    if (parts.length > 0) lines("log")(...parts);
    indent += "  ";
  };
  const log = lines("log");
  return {
    debug: lines("debug"),
    info: lines("info"),
    log,
    warn: lines("warn"),
    error: lines("error"),
    dirxml: log,
    group,
    groupCollapsed: group,
    groupEnd: () => {
      indent = indent.slice(2);
    },
    dir: (value: unknown) => log(inspect(value)),
    table: (value: unknown) => log(inspect(value)),
    trace: (...parts: unknown[]) =>
      write("log", formatParts(["Trace:", ...parts]), new Error("Trace").stack),
    assert: (condition: unknown, ...parts: unknown[]) => {
      if (!condition) lines("error")("Assertion failed", ...parts);
    },
    ...counters(log),
    clear() {},
    profile() {},
    profileEnd() {},
    timeStamp() {},
  };
}

function counters(write: (text: string) => void) {
  const counts = new Map<string, number>();
  const starts = new Map<string, number>();
  const elapsed = (label: string) => `${label}: ${nowMs() - (starts.get(label) ?? nowMs())}ms`;
  return {
    count: (label = "default") => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      write(`${label}: ${counts.get(label)}`);
    },
    countReset: (label = "default") => counts.delete(label),
    time: (label = "default") => starts.set(label, nowMs()),
    timeLog: (label = "default") => write(elapsed(label)),
    timeEnd: (label = "default") => {
      write(elapsed(label));
      starts.delete(label);
    },
  };
}
