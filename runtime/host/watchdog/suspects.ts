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
  /** Everyone who may have been running, the likeliest last. */
  apps: readonly string[];
  /** The app to act against; undefined when nobody was in the cell. */
  likeliest: string | undefined;
  /** Whether nobody else can have been it. */
  isCertain: boolean;
}

/**
 * Suspects are the apps with a request in flight at the last ping and those that entered since.
 * A thread that loops lets nobody in, so the one that entered last is the likeliest.
 */
export function suspectsOf(
  inflight: readonly InflightRequest[],
  entered: readonly Entry[],
): Suspects {
  const apps = [...inflight, ...entered].map(({ app }) => app);
  const ordered = Array.from(new Set(apps.toReversed())).toReversed();
  return { apps: ordered, likeliest: ordered.at(-1), isCertain: ordered.length === 1 };
}
