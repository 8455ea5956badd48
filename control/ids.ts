/** Ids from ULIDs: sortable by time, and growing within this isolate. */
import { monotonicFactory } from "ulid";
import { type Id, type Ids, idPrefixes } from "../core/ids.ts";

const next = monotonicFactory();

/** Makes ids from the machine's clock and randomness. */
export const ulidIds: Ids = {
  next: (kind) => `${idPrefixes[kind]}_${next().toLowerCase()}` as Id<typeof kind>,
};

/** An id for a request that came without one. */
export function newRequestId(): string {
  return next().toLowerCase();
}
