/** What starts an edge. */
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Jail } from "./jail/jail.ts";
import type { EgressPort } from "./ports.ts";

/** How to start an edge. */
export interface EdgeOptions {
  /** The data folder; the edge keeps `edge/` in it. */
  data: string;
  /** Folder for sockets, 0700, with a short path. */
  run: string;
  /** The 32 bytes that plane keys are derived from. */
  masterKey: Uint8Array<ArrayBuffer>;
  /** The platform's domain without port, e.g. `localhost`. */
  domain: string;
  /** Port 0 picks a free one. */
  listen: { host: string; port: number };
  control: { publicSocket: string; internalSocket: string };
  egress?: EgressPort;
  /** Blank cells kept ready. */
  spares?: number;
  /** At most this many cells. */
  cellsMax?: number;
  /** The gateway Worker as one module; bundled from the sources when absent. */
  cellWorker?: string;
  /** How often control is asked for changes that were not pushed. */
  pollMs?: number;
  /** Goes on as if HAProxy were not installed. */
  withoutProxy?: boolean;
  /** The walls around cells; what the machine offers when absent. */
  jail?: Jail;
  log: Log;
  clock?: Clock;
}
