/**
 * Looking at code without parsing it. One pass, however many quotes are left open: where a literal
 * does not end, a later quote before that place cannot end either, since an unescaped one would
 * have closed the first.
 */

/** A string literal or comment, by its offsets. */
export interface Token {
  kind: "text" | "template" | "block comment" | "line comment";
  start: number;
  end: number;
}

// A regular expression may hold what looks like the begin of the others, which span lines
const OPENINGS = { all: /["'`]|\/\*|(?<![:\\])\/\//g, sure: /["']|\/\*/g };
const STOPS = { '"': /["\\\n]/g, "'": /['\\\n]/g, "`": /[`\\$]/g };
const LINE_END = /[\n\r\u2028\u2029]/;

/**
 * All of them, in their order. Templates with holes are not among them; of `sure`, no template and
 * no line comment is.
 */
export function* tokensOf(code: string, which: "all" | "sure" = "all"): Generator<Token> {
  const openUntil = { '"': 0, "'": 0, "`": 0, "/*": 0 };
  const opening = new RegExp(OPENINGS[which]);
  for (let match = opening.exec(code); match !== null; match = opening.exec(code)) {
    const [mark] = match;
    const start = match.index;
    if (mark === "//") {
      const lineEnd = code.indexOf("\n", start);
      const end = lineEnd < 0 ? code.length : lineEnd;
      yield { kind: "line comment", start, end };
      opening.lastIndex = end;
      continue;
    }
    const kind = mark as keyof typeof openUntil;
    if (start < openUntil[kind]) continue;
    const found = kind === "/*" ? endOfComment(code, start) : endOfText(code, start, kind);
    if (!found.closed) {
      openUntil[kind] = found.end;
      continue;
    }
    yield { kind: KINDS[kind], start, end: found.end };
    opening.lastIndex = found.end;
  }
}

const KINDS = { '"': "text", "'": "text", "`": "template", "/*": "block comment" } as const;

function endOfComment(code: string, start: number): { closed: boolean; end: number } {
  const at = code.indexOf("*/", start + "/*".length);
  return at < 0 ? { closed: false, end: code.length } : { closed: true, end: at + "*/".length };
}

function endOfText(code: string, start: number, quote: keyof typeof STOPS) {
  const stops = STOPS[quote];
  stops.lastIndex = start + 1;
  for (let stop = stops.exec(code); stop !== null; stop = stops.exec(code)) {
    if (stop[0] === quote) return { closed: true, end: stop.index + 1 };
    const escaped = code[stop.index + 1];
    if (stop[0] !== "\\" || escaped === undefined || LINE_END.test(escaped)) {
      return { closed: false, end: stop.index };
    }
    stops.lastIndex = stop.index + 2;
  }
  return { closed: false, end: code.length };
}

/** Comments, and with `texts` string literals too, become blanks, so that places stay. */
export function blankOut(code: string, what: "comments" | "comments and texts"): string {
  const parts: string[] = [];
  let at = 0;
  for (const { kind, start, end } of tokensOf(code)) {
    if (what === "comments" && !kind.endsWith("comment")) continue;
    parts.push(code.slice(at, start));
    parts.push(blank(code.slice(start, end)));
    at = end;
  }
  return parts.join("") + code.slice(at);
}

function blank(text: string): string {
  const lines = text.split("\n").map(({ length }) => " ".repeat(length));
  return lines.join("\n");
}

/** A path of an address; as it stands when it is not a well-formed one. */
export function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
