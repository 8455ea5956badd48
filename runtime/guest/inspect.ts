/** Renders any value for a log line, in the manner of `Deno.inspect`, never running getters. */
import { withoutOurs } from "./failure.ts";

const DEPTH_MAX = 4;
const ENTRIES_MAX = 100;
const LINE_WIDTH = 76;

/** What {@link inspect} may be asked for. */
export interface InspectOptions {
  /** How many levels of objects are shown; 4 unless told. */
  depth?: number;
}

/** A readable, bounded rendering of `value`. Does not throw. */
export function inspect(value: unknown, options: InspectOptions = {}): string {
  try {
    return render(value, options.depth ?? DEPTH_MAX, new Set(), false);
  } catch (error) {
    return `[cannot be shown: ${String(error)}]`;
  }
}

/**
 * The text of `console.log(...parts)`: `%s %d %i %f %j %o %O %c` in a leading string, then the
 * rest.
 */
export function formatParts(parts: readonly unknown[]): string {
  const [first, ...rest] = parts;
  if (typeof first !== "string") return parts.map(display).join(" ");
  let used = 0;
  const text = first.replace(/%[sdifjoOc%]/g, (mark) => {
    if (mark === "%%") return "%";
    if (used >= rest.length) return mark;
    const value = rest[used];
    used += 1;
    return formatMark(mark, value);
  });
  return [text, ...rest.slice(used).map(display)].join(" ");
}

function formatMark(mark: string, value: unknown): string {
  if (mark === "%c") return "";
  if (mark === "%s") return display(value);
  if (mark === "%j") return JSON.stringify(value) ?? "undefined";
  if (mark === "%o" || mark === "%O") return inspect(value);
  const number = Number(value);
  return String(mark === "%f" ? number : Math.trunc(number));
}

function display(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}

function render(value: unknown, depth: number, seen: Set<object>, nested: boolean): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return renderFunction(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (seen.has(value)) return "[Circular]";
  if (value instanceof Error) {
    if (nested) return `[${String(value)}]`;
    return typeof value.stack === "string" ? withoutOurs(value.stack) : String(value);
  }
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp || value instanceof URL) return String(value);
  if (depth <= 0) return `[${nameOf(value) || "Object"}]`;
  seen.add(value);
  try {
    return renderObject(value, (inner) => render(inner, depth - 1, seen, true));
  } finally {
    seen.delete(value);
  }
}

function renderObject(value: object, inner: (value: unknown) => string): string {
  const name = nameOf(value);
  if (Array.isArray(value))
    return wrap("[", value.slice(0, ENTRIES_MAX).map(inner), value.length, "]");
  if (ArrayBuffer.isView(value) && "length" in value) {
    const bytes = Array.from(value as unknown as ArrayLike<unknown>).slice(0, ENTRIES_MAX);
    return wrap(`${name} [`, bytes.map(String), value.length as number, "]");
  }
  if (value instanceof Map) {
    const entries = [...value].slice(0, ENTRIES_MAX).map(([k, v]) => `${inner(k)} => ${inner(v)}`);
    return wrap(`Map(${value.size}) {`, entries, value.size, "}");
  }
  if (value instanceof Set) {
    return wrap(
      `Set(${value.size}) {`,
      [...value].slice(0, ENTRIES_MAX).map(inner),
      value.size,
      "}",
    );
  }
  if (value instanceof Headers) {
    const entries = [...value].map(([key, text]) => `${key}: ${JSON.stringify(text)}`);
    return wrap("Headers {", entries, entries.length, "}");
  }
  if (value instanceof Request) return `Request { ${value.method} ${value.url} }`;
  if (value instanceof Response) return `Response { ${value.status} ${value.statusText} }`;
  return renderProperties(name === "Object" ? "" : name, value, inner);
}

function renderProperties(name: string, value: object, inner: (value: unknown) => string): string {
  const keys = Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key),
  );
  const entries = keys.slice(0, ENTRIES_MAX).map((key) => {
    const label = typeof key === "symbol" ? `[${String(key)}]` : labelOf(key);
    const property = Object.getOwnPropertyDescriptor(value, key);
    return `${label}: ${property !== undefined && "value" in property ? inner(property.value) : "[Getter]"}`;
  });
  return wrap(name === "" ? "{" : `${name} {`, entries, keys.length, "}");
}

function labelOf(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

function wrap(open: string, entries: string[], total: number, close: string): string {
  if (total > entries.length) entries.push(`... ${total - entries.length} more`);
  if (entries.length === 0) return `${open}${close}`;
  const line = entries.join(", ");
  const space = open.endsWith("[") ? "" : " ";
  if (line.length <= LINE_WIDTH && !line.includes("\n"))
    return `${open}${space}${line}${space}${close}`;
  return `${open}\n${entries.map((entry) => `  ${entry.replaceAll("\n", "\n  ")}`).join(",\n")}\n${close}`;
}

function nameOf(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" ? name : "[Object: null prototype]";
}

function renderFunction(value: { name: string }): string {
  return value.name === "" ? "[Function (anonymous)]" : `[Function: ${value.name}]`;
}
