/**
 * The rows of the memory twin. Writers take turns, since a commit waits for a signature: what one
 * checked still holds when it writes. Rows go in and out as copies.
 */
import type { SignedDocument } from "../../../core/deployment.ts";
import type {
  AppRow,
  AuditRow,
  Commit,
  DraftRow,
  ExecutionRow,
  IdempotencyRow,
  KeyRow,
  LogRow,
  OrganizationRow,
  VersionRow,
} from "../../ports.ts";
import { idempotencyConflict } from "../failures.ts";

/** A blob that an organization uploaded. */
export interface BlobOwnerRow {
  org: string;
  digest: string;
  sizeBytes: number;
}

/** All rows. Maps go by primary key. */
export class MemoryState {
  readonly organizations = new Map<string, OrganizationRow>();
  readonly keys = new Map<string, KeyRow>();
  readonly apps = new Map<string, AppRow>();
  readonly drafts = new Map<string, DraftRow>();
  readonly versions = new Map<string, VersionRow>();
  readonly executions = new Map<string, ExecutionRow>();
  readonly logs = new Map<string, LogRow[]>();
  readonly logBatches = new Set<string>();
  readonly documents = new Map<string, SignedDocument>();
  readonly idempotency = new Map<string, IdempotencyRow>();
  readonly blobOwners = new Map<string, BlobOwnerRow>();
  audit: AuditRow[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * Runs a change: `check` throws when it may not happen, or answers false when there is nothing
   * to do; then the commit is prepared; then `write` and the commit are stored together. Answers
   * what `check` did.
   */
  change(commit: Commit, check: () => boolean, write: () => void): Promise<boolean> {
    const run = async () => {
      this.#checkIdempotency(commit);
      if (!check()) return false;
      const document = await commit.document?.(this.#nextSequence());
      write();
      this.#store(commit, document);
      return true;
    };
    const result = this.#turn.then(run, run);
    this.#turn = result.catch(() => {});
    return result;
  }

  #nextSequence(): number {
    const sequences = [...this.documents.values()].map(({ sequence }) => sequence);
    return Math.max(0, ...sequences) + 1;
  }

  #checkIdempotency({ idempotency: row, audit }: Commit): void {
    if (row === undefined) return;
    const found = this.idempotency.get(idempotencyKeyOf(row));
    if (found !== undefined && found.expiresMs > audit.timeMs) throw idempotencyConflict();
  }

  #store({ audit, idempotency: row }: Commit, document: SignedDocument | undefined): void {
    this.audit.push(copyOf(audit));
    if (row !== undefined) this.idempotency.set(idempotencyKeyOf(row), copyOf(row));
    if (document !== undefined) {
      this.documents.set(`${document.kind} ${document.key}`, copyOf(document));
    }
  }
}

/** The primary key of an idempotency row. */
export function idempotencyKeyOf(row: { org: string; actor: string; key: string }): string {
  return JSON.stringify([row.org, row.actor, row.key]);
}

/** A row on its own, without what is undefined. */
export function copyOf<Row>(row: Row): Row {
  return JSON.parse(JSON.stringify(row)) as Row;
}

/** Orders texts as SQLite does: by code point, not by language. */
export function byText<Row>(textOf: (row: Row) => string): (a: Row, b: Row) => number {
  return (a, b) => (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0);
}

/** Orders newest first, by time and then by id. */
export function byNewest<Row extends { id: string }>(
  timeOf: (row: Row) => number,
): (a: Row, b: Row) => number {
  return (a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1);
}

/** Whether a row comes after a cursor in a list ordered by {@link byNewest}. */
export function isAfter(
  row: { timeMs: number; id: string },
  cursor: { timeMs: number; id: string } | undefined,
): boolean {
  if (cursor === undefined) return true;
  return row.timeMs < cursor.timeMs || (row.timeMs === cursor.timeMs && row.id < cursor.id);
}
