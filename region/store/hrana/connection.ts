/**
 * One libSQL connection, made safe to hand out. Two habits of the driver are held off here:
 * - A statement that ends with SQLITE_BUSY is not reset by the driver. On that connection later
 *   writes would look committed without being so. Such a connection is `broken` and not reused.
 * - It has no way to reset a reader that was left half-read, nor SQLite one that explains a write,
 *   with the same effect. Rows are read to their end, or the connection is `broken` as well.
 */
import Database from "libsql";
import {
  HranaError,
  type HranaStatement,
  type HranaValue,
  type StatementResult,
} from "./protocol.ts";
import {
  firstWordOf,
  kindOf,
  parametersOf,
  type StatementKind,
  splitStatements,
} from "./sql-text.ts";
import { type DriverValue, fromDriver, toDriver } from "./value.ts";

/** A statement that is known to be valid. */
export interface Prepared {
  kind: StatementKind;
  parameters: readonly (string | undefined)[];
  reader: boolean;
  isExplain: boolean;
  columns: StatementResult["cols"];
  statement: Database.Statement;
}

/** What a running reader may still give out. */
export interface RowBudget {
  rows: number;
  bytes: number;
}

const STATEMENTS_MAX = 256; // Kept prepared per connection; the control plane has about 100
const BUSY_TIMEOUT_MS = 5_000; // Only another program can be in the way: see WriteLane

/** A connection with its prepared statements. Throws {@link HranaError} for what SQLite refuses. */
export class Connection {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Prepared>();
  #broken = false;

  constructor(path: string) {
    this.#database = openDatabase(path);
  }

  /** Whether it must be closed instead of being used again. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  /** Looks `sql` over, which must be exactly one statement, or finds it among the prepared. */
  prepare(sql: string): Prepared {
    const found = this.#statements.get(sql);
    if (found !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, found);
      return found;
    }
    const prepared = this.#prepareNew(sql);
    if (/^(CREATE|ALTER|DROP|PRAGMA|EXPLAIN)$/.test(firstWordOf(sql))) return prepared;
    this.#statements.set(sql, prepared);
    const oldest = this.#statements.keys().next().value;
    if (this.#statements.size > STATEMENTS_MAX && oldest !== undefined) {
      this.#statements.delete(oldest);
    }
    return prepared;
  }

  /** Runs a statement to its end. */
  execute(prepared: Prepared, statement: HranaStatement, budget: RowBudget): StatementResult {
    const args = bind(prepared, statement);
    if (!prepared.reader) {
      const info = this.#guard(() => prepared.statement.run(args));
      const isWrite = prepared.kind === "write";
      return result(prepared, [], isWrite ? info.changes : 0, String(info.lastInsertRowid));
    }
    const kept: HranaValue[][] = [];
    for (const row of this.rows(prepared, args, budget)) {
      if (statement.wantRows) kept.push(row);
    }
    return prepared.kind === "write"
      ? result(prepared, kept, ...this.#changes())
      : result(prepared, kept, 0, null);
  }

  /** The rows of a reader, one by one. Leaving early makes the connection broken. */
  *rows(
    prepared: Prepared,
    args: readonly DriverValue[],
    budget: RowBudget,
  ): Generator<HranaValue[]> {
    const rows = this.#guard(() => prepared.statement.iterate(args));
    let halted = false;
    try {
      for (;;) {
        halted = true; // Where the next step fails, or finds no row
        const next = this.#guard(() => rows.next());
        if (next.done === true) break;
        halted = false;
        const row = (next.value as DriverValue[]).map(fromDriver);
        charge(budget, row);
        yield row;
      }
      if (prepared.isExplain) this.#broken = true;
    } finally {
      if (!halted) this.#abandon(rows);
    }
  }

  /** Runs every statement of a script; what it answers is dropped. */
  sequence(script: string): void {
    this.#guard(() => this.#database.exec(script));
    this.#statements.clear();
  }

  /** Rolls back what is open. Answers whether the connection may be used again. */
  reset(): boolean {
    try {
      if (this.inTransaction) this.#guard(() => this.#database.exec("ROLLBACK"));
    } catch {
      this.#broken = true; // Closing it undoes the transaction as well
    }
    return !this.#broken;
  }

  /** Ends the connection; an open transaction is rolled back. */
  close(): void {
    this.#statements.clear();
    this.reset();
    this.#database.close();
  }

  #prepareNew(sql: string): Prepared {
    const statements = splitStatements(sql);
    if (statements.length === 0) {
      throw new HranaError("SQL_NO_STATEMENT", "The SQL text has no statement.");
    }
    if (statements.length > 1) {
      throw new HranaError("SQL_MANY_STATEMENTS", "The SQL text has more than one statement.");
    }
    const kind = kindOf(sql);
    refuse(kind);
    const statement = this.#guard(() => this.#database.prepare(sql));
    const { reader } = statement;
    if (reader) statement.raw(true).safeIntegers(true);
    const columns = reader
      ? statement.columns().map(({ name, type }) => ({ name, decltype: type }))
      : [];
    const isExplain = firstWordOf(sql) === "EXPLAIN";
    return { kind, parameters: parametersOf(sql), reader, isExplain, columns, statement };
  }

  /** Ends a reader in the middle: interrupted, SQLite halts it and undoes what it wrote. */
  #abandon(rows: Iterator<unknown>): void {
    this.#broken = true;
    (this.#database as unknown as { interrupt(): void }).interrupt();
    try {
      while (rows.next().done !== true); // The driver has some rows in hand before it fails
    } catch {
      // SQLITE_INTERRUPT, as asked for, or the error that ended it
    }
  }

  #changes(): [number, string] {
    const [row] = this.#database.prepare("SELECT changes(), last_insert_rowid()").raw().all([]);
    const [changes, rowid] = row as [number, number];
    return [changes, String(rowid)];
  }

  #guard<Value>(action: () => Value): Value {
    try {
      return action();
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (typeof code !== "string") throw error;
      if (/^SQLITE_(BUSY|LOCKED|IOERR|CORRUPT|NOTADB|INTERRUPT)/.test(code)) this.#broken = true;
      throw new HranaError(baseCode(code), `SQLite error: ${(error as Error).message}`);
    }
  }
}

/** Fails for statements that would reach outside of the one database file. */
export function refuse(kind: StatementKind): void {
  if (kind !== "refused") return;
  throw new HranaError("SQLITE_AUTH", "SQLite error: not authorized to use another database file");
}

/** The arguments of a statement in the order of its parameters. */
export function bind(prepared: Prepared, statement: HranaStatement): DriverValue[] {
  const args = statement.args.map(toDriver);
  for (const { name, value } of statement.namedArgs) {
    const position = prepared.parameters.findIndex(
      (parameter) => parameter !== undefined && (parameter === name || parameter.slice(1) === name),
    );
    if (position < 0) {
      throw new HranaError("ARGS_INVALID", `The statement has no parameter "${name}".`);
    }
    while (args.length < position) args.push(null);
    args[position] = toDriver(value);
  }
  if (args.length > prepared.parameters.length) {
    throw new HranaError(
      "ARGS_INVALID",
      `There are ${args.length} arguments for ${prepared.parameters.length} parameters.`,
    );
  }
  return args;
}

/** Opens the file the way every connection must be: no write is acknowledged before its fsync. */
function openDatabase(path: string): Database.Database {
  const database = new Database(path);
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  database.pragma("trusted_schema = OFF");
  return database;
}

function result(
  prepared: Prepared,
  rows: readonly (readonly HranaValue[])[],
  affectedRowCount: number,
  lastInsertRowid: string | null,
): StatementResult {
  return {
    cols: prepared.columns,
    rows,
    affected_row_count: affectedRowCount,
    last_insert_rowid: lastInsertRowid,
  };
}

function charge(budget: RowBudget, row: readonly HranaValue[]): void {
  budget.rows -= 1;
  for (const value of row) {
    budget.bytes -= 32; // About what the JSON around a value takes
    if (value.type === "text") budget.bytes -= value.value.length;
    if (value.type === "blob") budget.bytes -= value.base64.length;
  }
  if (budget.rows < 0 || budget.bytes < 0) {
    throw new HranaError("RESPONSE_TOO_LARGE", "The statements answer too many rows or bytes.");
  }
}

/** `SQLITE_CONSTRAINT_UNIQUE` as `SQLITE_CONSTRAINT`: remote libSQL servers send the short form. */
function baseCode(code: string): string {
  return /^SQLITE_[A-Z]+/.exec(code)?.[0] ?? "SQLITE_ERROR";
}
