/** Cursor pages over an ordered list: the cursor is what the last item was ordered by. */
import { IgniteError } from "../../core/errors.ts";
import type { Page, PageOf } from "../ports.ts";

/** Cuts a list, of which one more than the limit was read, into a page. */
export function pageOf<Row>(
  rows: readonly Row[],
  { limit }: Page,
  cursorOf: (row: Row) => string,
): PageOf<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, next: cursorOf(last) } : { items };
}

/** The cursor of a list ordered by a time and then by id. */
export function timeCursor(timeMs: number, id: string): string {
  return `${timeMs}.${id}`;
}

/** Reads a {@link timeCursor}. Fails with PAGE_TOKEN_INVALID. */
export function parseTimeCursor(cursor: string): { timeMs: number; id: string } {
  const match = /^(\d{1,15})\.(\w+)$/.exec(cursor);
  if (match === null) throw invalid();
  return { timeMs: Number(match[1]), id: match[2] ?? "" };
}

/** Reads the cursor of a list ordered by a number. Fails with PAGE_TOKEN_INVALID. */
export function parseNumberCursor(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw invalid();
  return Number(cursor);
}

function invalid(): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "PAGE_TOKEN_INVALID",
    message: "The page token is not one of this list.",
  });
}
