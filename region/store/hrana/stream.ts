/**
 * A Hrana stream: a connection with the SQL texts stored on it, and the write lane while it has
 * an open write transaction. Requests of one stream run one after another.
 */
import { bind, type Connection, type Prepared, type RowBudget, refuse } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import {
  type HranaCondition,
  HranaError,
  type HranaStatement,
  type HranaStep,
  type SqlReference,
  type StatementResult,
  type StreamRequest,
} from "./protocol.ts";
import { kindOf, splitStatements } from "./sql-text.ts";
import type { WriteLane } from "./write-lane.ts";

const STORED_SQL_MAX = 256; // Texts; clients keep about thirty
const STORED_SQL_BYTES_MAX = 4 * 1024 * 1024;

/** A failure as it stands in a result. */
export interface WireError {
  code: string;
  message: string;
}

/** One line of a cursor's answer. */
export type CursorEntry = { type: string } & Readonly<Record<string, unknown>>;

/** What ran so far of a batch: per step its success, its failure, or neither when skipped. */
type StepOutcome = "ok" | "error" | undefined;

/** A stream. Close it in every case: it may hold the write lane. */
export class Stream {
  readonly #pool: ConnectionPool;
  readonly #lane: WriteLane;
  readonly #connection: Connection;
  readonly #stored = new Map<number, string>();
  #storedBytes = 0;
  #holdsLane = false;
  #closed = false;

  constructor(pool: ConnectionPool, lane: WriteLane) {
    this.#pool = pool;
    this.#lane = lane;
    this.#connection = pool.take();
  }

  /** Whether it was closed, by its user or because its connection broke. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether closing it would lose nothing: no transaction and no stored texts. */
  get idle(): boolean {
    return !this.#connection.inTransaction && this.#stored.size === 0;
  }

  /** Answers one request of a pipeline. Throws {@link HranaError}. */
  async answer(request: StreamRequest, budget: RowBudget): Promise<Record<string, unknown>> {
    const { type } = request;
    switch (type) {
      case "close":
        this.close();
        return { type };
      case "get_autocommit":
        return { type, is_autocommit: !this.#connection.inTransaction };
      case "execute":
        return { type, result: await this.#execute(request.statement, budget) };
      case "batch":
        return { type, result: await this.#batch(request.steps, budget) };
      case "sequence":
        await this.#sequence(this.#sqlOf(request));
        return { type };
      case "describe":
        return { type, result: this.#describe(this.#sqlOf(request)) };
      case "store_sql":
        this.#store(request.sqlId, request.sql);
        return { type };
      case "close_sql":
        this.#forget(request.sqlId);
        return { type };
    }
  }

  /** Runs a batch and gives its rows as they are read. */
  async *cursor(steps: readonly HranaStep[], budget: RowBudget): AsyncGenerator<CursorEntry> {
    const outcomes: StepOutcome[] = [];
    for (const [index, { condition, statement }] of steps.entries()) {
      outcomes.push(undefined);
      if (!this.#holds(condition, outcomes)) continue;
      try {
        yield* this.#cursorStep(index, statement, budget);
        outcomes[index] = "ok";
      } catch (error) {
        outcomes[index] = "error";
        yield { type: "step_error", step: index, error: wireError(error) };
      }
    }
  }

  /** Rolls back what is open and gives the connection back. Doing it again changes nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#pool.give(this.#connection);
    } finally {
      this.#releaseLane();
    }
  }

  async *#cursorStep(step: number, statement: HranaStatement, budget: RowBudget) {
    const prepared = await this.#prepare(statement);
    if (prepared.kind !== "read" || !prepared.reader) {
      // A write is finished before its first row leaves, so that a slow reader holds nothing up.
      const result = this.#run(() => this.#connection.execute(prepared, statement, budget));
      yield { type: "step_begin", step, cols: result.cols };
      for (const row of result.rows) yield { type: "row", row };
      const { affected_row_count, last_insert_rowid } = result;
      yield { type: "step_end", affected_row_count, last_insert_rowid };
      return;
    }
    yield { type: "step_begin", step, cols: prepared.columns };
    for (const row of this.#connection.rows(prepared, bind(prepared, statement), budget)) {
      yield { type: "row", row };
    }
    yield { type: "step_end", affected_row_count: 0, last_insert_rowid: null };
  }

  async #execute(statement: HranaStatement, budget: RowBudget): Promise<StatementResult> {
    const prepared = await this.#prepare(statement);
    return this.#run(() => this.#connection.execute(prepared, statement, budget));
  }

  async #batch(steps: readonly HranaStep[], budget: RowBudget) {
    const outcomes: StepOutcome[] = [];
    const results: (StatementResult | null)[] = [];
    const errors: (WireError | null)[] = [];
    // Before a deferred transaction takes its snapshot: one that waits later could not write.
    if (steps.some(({ statement }) => this.#writes(statement))) await this.#acquireLane();
    for (const [index, { condition, statement }] of steps.entries()) {
      outcomes.push(undefined);
      results.push(null);
      errors.push(null);
      if (!this.#holds(condition, outcomes)) continue;
      try {
        results[index] = await this.#execute(statement, budget);
        outcomes[index] = "ok";
      } catch (error) {
        errors[index] = wireError(error);
        outcomes[index] = "error";
      }
    }
    if (!this.#closed && !this.#connection.inTransaction) this.#releaseLane();
    return { step_results: results, step_errors: errors };
  }

  #writes(statement: HranaStatement): boolean {
    const sql = statement.sql ?? this.#stored.get(statement.sqlId ?? 0);
    return sql !== undefined && kindOf(sql) === "write";
  }

  async #sequence(script: string): Promise<void> {
    const kinds = splitStatements(script).map(kindOf);
    for (const kind of kinds) refuse(kind);
    if (kinds.includes("write")) await this.#acquireLane();
    this.#run(() => this.#connection.sequence(script));
  }

  #describe(sql: string) {
    const prepared = this.#connection.prepare(sql);
    return {
      params: prepared.parameters.map((name) => ({ name: name ?? null })),
      cols: prepared.columns,
      is_explain: prepared.isExplain,
      is_readonly: prepared.kind !== "write",
    };
  }

  /** Prepares a statement and sees to it that it may run now. */
  async #prepare(statement: HranaStatement): Promise<Prepared> {
    const sql = this.#sqlOf(statement);
    if (this.#closed) throw new HranaError("STREAM_CLOSED", "The stream is closed.");
    const prepared = this.#connection.prepare(sql);
    if (prepared.kind === "write") await this.#acquireLane();
    return prepared;
  }

  /** Runs something on the connection, then gives up what is not needed any more. */
  #run<Value>(action: () => Value): Value {
    try {
      return action();
    } finally {
      if (this.#connection.broken) this.close();
      else if (!this.#connection.inTransaction) this.#releaseLane();
    }
  }

  async #acquireLane(): Promise<void> {
    if (this.#holdsLane) return;
    await this.#lane.acquire();
    this.#holdsLane = true;
    if (!this.#closed) return;
    this.#releaseLane();
    throw new HranaError("STREAM_CLOSED", "The stream was closed.");
  }

  #releaseLane(): void {
    if (!this.#holdsLane) return;
    this.#holdsLane = false;
    this.#lane.release();
  }

  #holds(condition: HranaCondition | undefined, outcomes: readonly StepOutcome[]): boolean {
    if (condition === undefined) return true;
    switch (condition.type) {
      case "ok":
      case "error":
        return outcomes[condition.step] === condition.type;
      case "not":
        return !this.#holds(condition.cond, outcomes);
      case "and":
        return condition.conds.every((cond) => this.#holds(cond, outcomes));
      case "or":
        return condition.conds.some((cond) => this.#holds(cond, outcomes));
      case "is_autocommit":
        return this.#closed || !this.#connection.inTransaction;
    }
  }

  #sqlOf({ sql, sqlId }: SqlReference): string {
    const found = sql ?? this.#stored.get(sqlId ?? 0);
    if (found === undefined) {
      throw new HranaError("SQL_NOT_FOUND", `No SQL text is stored under the id ${sqlId}.`);
    }
    return found;
  }

  #store(sqlId: number, sql: string): void {
    if (this.#stored.has(sqlId)) {
      throw new HranaError("SQL_STORE_EXISTS", `A SQL text is already stored under ${sqlId}.`);
    }
    if (
      this.#stored.size >= STORED_SQL_MAX ||
      this.#storedBytes + sql.length > STORED_SQL_BYTES_MAX
    ) {
      throw new HranaError("SQL_STORE_FULL", "The stream has stored too many SQL texts.");
    }
    this.#stored.set(sqlId, sql);
    this.#storedBytes += sql.length;
  }

  #forget(sqlId: number): void {
    this.#storedBytes -= this.#stored.get(sqlId)?.length ?? 0;
    this.#stored.delete(sqlId);
  }
}

/** What a client is told. What is not SQLite's or Hrana's error is ours, and not described. */
export function wireError(error: unknown): WireError {
  if (error instanceof HranaError) return { code: error.code, message: error.message };
  return { code: "INTERNAL_ERROR", message: "The store failed; its log says why." };
}
