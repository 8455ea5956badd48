/** Whose code may have been running when a cell stopped answering. */
import type { InflightRequest } from "../cells/cell-admin.ts";

/** A first call of an app since the last ping, told by the cell's ledger. */
export interface Entry {
  /** Execution id. */
  id: string;
  app: string;
  version: number;
}

/** The apps that may be at fault. */
export interface Suspects {
  /** Those with a request in the cell, the likeliest last. */
  apps: readonly string[];
  /** Others that may be at work behind an answer: `waitUntil`, a WebSocket, a stream. */
  lingering: readonly string[];
  /** The app to act against; undefined when it is open who it is. */
  likeliest: string | undefined;
  /** Whether nobody else can have been it. */
  isCertain: boolean;
}

/**
 * Suspects are the apps with a request in flight at the last ping and those that entered since.
 * A thread that loops lets nobody in, so the one that entered last is the likeliest. `lingering`
 * are the apps that may have gone on after their answer.
 */
export function suspectsOf(
  inflight: readonly InflightRequest[],
  entered: readonly Entry[],
  lingering: readonly string[] = [],
): Suspects {
  const found = [...inflight, ...entered].map(({ app }) => app);
  const apps = Array.from(new Set(found.toReversed())).toReversed();
  const others = lingering.filter((app) => !apps.includes(app));
  const isCertain = apps.length + others.length === 1;
  const likeliest = apps.at(-1) ?? (isCertain ? others[0] : undefined);
  return { apps, lingering: others, likeliest, isCertain };
}
