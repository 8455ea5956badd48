/**
 * Reads what a cell prints. Lines of the gateway begin with the cell's token, lines of a guest
 * with the log token that the gateway declared for its isolate; nobody inside an isolate knows
 * either, so a guest cannot write as another. Anything else is workerd's own noise.
 */
import type { LogRecord } from "../../../core/deployment.ts";
import type { Digest } from "../../../core/ids.ts";
import { cellLineCharactersMax, logLineBytesMax } from "../../../core/limits.ts";
import type { Entry } from "../watchdog/suspects.ts";

/** A line, understood. */
export type CellLine =
  | { kind: "enter"; entry: Entry }
  | { kind: "isolate" }
  | { kind: "log"; record: LogRecord; artifact: Digest; bytes: number }
  | { kind: "noise" };

interface Isolate {
  app: string;
  version: number;
  artifact: Digest;
}

const ISOLATES_MAX = 10_000; // Declarations kept per cell; the oldest are of evicted isolates
const EXECUTION_ID = /^exe_[0-9a-z]{26}$/;
const TOO_LONG: Fields = { l: "warn", m: "[ignite] A log line that is too long is left out here." };
const LEVELS: ReadonlySet<string> = new Set(["debug", "info", "log", "warn", "error"]);

/** The reader of one cell's stdout. */
export class CellOutput {
  readonly #token: string;
  readonly #isolates = new Map<string, Isolate>();

  /** `token` is the cell's. */
  constructor(token: string) {
    this.#token = token;
  }

  /** Understands one line; `nowMs` is the time of a log line that carries none. */
  read(line: string, nowMs: number): CellLine {
    const space = line.indexOf(" ");
    const token = space < 0 ? "" : line.slice(0, space);
    if (token === this.#token) return this.#readOwn(parse(line.slice(space + 1)));
    const isolate = this.#isolates.get(token);
    if (isolate === undefined) return { kind: "noise" };
    return readLog(isolate, line, parse(line.slice(space + 1)), nowMs);
  }

  #readOwn(fields: Fields): CellLine {
    const app = String(fields["app"]);
    const version = Number(fields["version"]);
    if (fields["t"] === "enter") {
      return { kind: "enter", entry: { id: String(fields["id"]), app, version } };
    }
    if (fields["t"] !== "isolate") return { kind: "noise" };
    const artifact = String(fields["artifact"]) as Digest;
    this.#isolates.set(String(fields["key"]), { app, version, artifact });
    for (const key of this.#isolates.keys()) {
      if (this.#isolates.size <= ISOLATES_MAX) break;
      this.#isolates.delete(key);
    }
    return { kind: "isolate" };
  }
}

type Fields = Readonly<Record<string, unknown>>;

function readLog(isolate: Isolate, line: string, fields: Fields, nowMs: number): CellLine {
  const { x, l, m, s, at } = line.length < cellLineCharactersMax ? fields : TOO_LONG;
  const record: LogRecord = {
    app: isolate.app,
    version: isolate.version,
    executionId: typeof x === "string" && EXECUTION_ID.test(x) ? x : undefined,
    timeMs: typeof at === "number" && Math.abs(at - nowMs) < 60_000 ? at : nowMs,
    level: LEVELS.has(String(l)) ? (l as LogRecord["level"]) : "log",
    message: textOf(m) ?? "",
    stack: textOf(s),
  };
  return { kind: "log", record, artifact: isolate.artifact, bytes: Buffer.byteLength(line) };
}

/** A guest may have taken the bounds of its own log away. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, 2 * logLineBytesMax) : undefined;
}

function parse(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}
