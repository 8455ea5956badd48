/**
 * Reads just enough of SQL to know where statements end, what kind they are, and which parameters
 * they have. SQLite remains the judge of what is valid: what this cannot place, it passes on.
 */

/** What a statement does to the write lock. */
export type StatementKind =
  | "read" // Needs no lock
  | "write" // Needs the lock, for as long as its transaction lasts
  | "end" // COMMIT, ROLLBACK, SAVEPOINT, RELEASE: keeps what is held
  | "refused"; // Would reach another file

const TOKEN =
  // space, comments, strings and quoted names (a doubled quote is two tokens), parameters with the
  // `::` and `(…)` of Tcl's that SQLite knows, words, anything else
  /(?<space>\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))|(?<quoted>'[^']*(?:'|$)|"[^"]*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$))|(?<parameter>\?\d*|[:@$#](?:[A-Za-z0-9_$\u0080-\uffff]|::)+(?:\([^ \t\n\v\f\r)]*\)?)?)|(?<word>[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*|\d[\w.]*)|(?<other>[\s\S])/gy;

interface Token {
  text: string;
  type: "quoted" | "parameter" | "word" | "other";
  end: number;
}

/** Splits a script at the semicolons between its statements; empty ones are left out. */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let tokens: string[] = []; // The first of the statement, and its last two
  for (const token of tokensOf(script)) {
    if (token.text !== ";" || isInsideTrigger(tokens)) {
      if (tokens.length > FIRST_TOKENS + 1) tokens.splice(FIRST_TOKENS, 1);
      tokens.push(token.text.toUpperCase());
      continue;
    }
    if (tokens.length > 0) statements.push(script.slice(start, token.end));
    start = token.end;
    tokens = [];
  }
  if (tokens.length > 0) statements.push(script.slice(start));
  return statements;
}

const FIRST_TOKENS = 3; // CREATE TEMP TRIGGER

/** Whether a semicolon behind these tokens is one in a trigger's body, which "; END" closes. */
function isInsideTrigger(tokens: readonly string[]): boolean {
  const [first, second = "", third] = tokens;
  if (first !== "CREATE") return false;
  const isTemporary = second === "TEMP" || second === "TEMPORARY";
  if (second !== "TRIGGER" && !(isTemporary && third === "TRIGGER")) return false;
  return tokens.at(-2) !== ";" || tokens.at(-1) !== "END";
}

/** Tells what kind of statement comes first in `sql`. */
export function kindOf(sql: string): StatementKind {
  const tokens = tokensOf(sql);
  const first = nextWord(tokens);
  switch (first) {
    case "SELECT":
    case "VALUES":
    case "EXPLAIN":
      return "read";
    case "BEGIN":
      return /^(IMMEDIATE|EXCLUSIVE)$/.test(nextWord(tokens)) ? "write" : "read";
    case "COMMIT":
    case "END":
    case "ROLLBACK":
    case "SAVEPOINT":
    case "RELEASE":
      return "end";
    case "WITH":
      return anyWord(tokens, /^(INSERT|UPDATE|DELETE|REPLACE)$/) ? "write" : "read";
    case "ATTACH":
    case "DETACH":
      return "refused";
    case "VACUUM":
      return anyWord(tokens, /^INTO$/) ? "refused" : "write";
    default:
      return "write";
  }
}

/** The word that a statement begins with, in upper case. */
export function firstWordOf(sql: string): string {
  return nextWord(tokensOf(sql));
}

/** The parameters of a statement by position (from 0); one without a name is undefined. */
export function parametersOf(sql: string): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const token of tokensOf(sql)) {
    if (token.text === ";") break;
    if (token.type !== "parameter") continue;
    const text = token.text;
    if (text === "?") names.push(undefined);
    else if (text.startsWith("?")) growTo(names, Number(text.slice(1)), text);
    else if (!names.includes(text)) names.push(text);
  }
  return names;
}

const PARAMETERS_MAX = 32_766; // SQLite's own bound

function growTo(names: (string | undefined)[], position: number, name: string): void {
  if (position < 1 || position > PARAMETERS_MAX) return; // SQLite refuses it when it prepares
  while (names.length < position) names.push(undefined);
  names[position - 1] ??= name;
}

function nextWord(tokens: Iterator<Token>): string {
  for (let next = tokens.next(); !next.done; next = tokens.next()) {
    if (next.value.type === "word") return next.value.text.toUpperCase();
    if (next.value.text !== ";") return "";
  }
  return "";
}

function anyWord(tokens: Iterable<Token>, pattern: RegExp): boolean {
  for (const token of tokens) {
    if (token.type === "word" && pattern.test(token.text.toUpperCase())) return true;
  }
  return false;
}

function* tokensOf(sql: string): Generator<Token> {
  for (const match of sql.matchAll(TOKEN)) {
    const groups = match.groups ?? {};
    if (groups["space"] !== undefined) continue;
    const type =
      groups["quoted"] !== undefined
        ? "quoted"
        : groups["parameter"] !== undefined
          ? "parameter"
          : groups["word"] !== undefined
            ? "word"
            : "other";
    yield { text: match[0], type, end: match.index + match[0].length };
  }
}
