/** The apps that call out: their limits, connections and counters. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { IgniteError } from "../../../core/errors.ts";

/** What an app may do at once and in time. */
export interface CallerLimits {
  /** Requests and WebSockets open at once. */
  concurrencyMax: number;
  /** Requests a second, with bursts of twice as many. */
  perSecondMax: number;
}

/** What an app has done so far. */
export interface CallerCounters {
  requests: number;
  /** Refused because of where they went. */
  denied: number;
  /** Refused because there were too many. */
  limited: number;
  /** The other side did not answer. */
  failed: number;
  bytesSent: number;
  bytesReceived: number;
  /** Open now. */
  active: number;
}

/** One app. Connections are kept for this app alone, so no other can meet what it left in them. */
export interface Caller {
  readonly counters: CallerCounters;
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  /** Counts a request in. Fails with OVERLOADED. The answer counts it out. */
  enter(): () => void;
}

/** The usual bounds of an app. */
export const callerLimitsDefault: CallerLimits = { concurrencyMax: 512, perSecondMax: 1_000 };

const IDLE_TTL_MS = 60_000; // Afterwards an app's connections are given up
const KEPT_SOCKETS_MAX = 32; // Idle, for each host that an app calls
const KEPT_SOCKET_TTL_MS = 10_000; // Shorter than most servers keep theirs

/** All apps seen so far. */
export class Callers {
  readonly #limits: CallerLimits;
  readonly #https: { ca?: string | undefined };
  readonly #entries = new Map<string, CallerEntry>();

  constructor(limits: CallerLimits, https: { ca?: string | undefined } = {}) {
    this.#limits = limits;
    this.#https = https;
  }

  /** The app of this name; made on its first call. */
  get(app: string): Caller {
    const found = this.#entries.get(app);
    if (found !== undefined) return found;
    const made = new CallerEntry(this.#limits, this.#https);
    this.#entries.set(app, made);
    return made;
  }

  /** A copy of all counters, by app. */
  counters(): Record<string, CallerCounters> {
    const entries = [...this.#entries].map(([app, { counters }]) => [app, { ...counters }]);
    return Object.fromEntries(entries);
  }

  /** Closes what apps without requests have kept open. */
  sweep(): void {
    for (const entry of this.#entries.values()) entry.sweep();
  }

  /** Closes all kept connections. */
  close(): void {
    for (const entry of this.#entries.values()) entry.destroy();
  }
}

class CallerEntry implements Caller {
  readonly counters: CallerCounters = {
    requests: 0,
    denied: 0,
    limited: 0,
    failed: 0,
    bytesSent: 0,
    bytesReceived: 0,
    active: 0,
  };
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  readonly #limits: CallerLimits;
  #tokens: number;
  #usedMs = performance.now();

  constructor(limits: CallerLimits, https: { ca?: string | undefined }) {
    this.#limits = limits;
    this.#tokens = limits.perSecondMax * 2;
    const kept = {
      keepAlive: true,
      maxFreeSockets: KEPT_SOCKETS_MAX,
      timeout: KEPT_SOCKET_TTL_MS,
    };
    this.http = new HttpAgent(kept);
    this.https = new HttpsAgent({ ...kept, ...https });
  }

  enter(): () => void {
    const { perSecondMax, concurrencyMax } = this.#limits;
    const nowMs = performance.now();
    const earned = ((nowMs - this.#usedMs) / 1000) * perSecondMax;
    this.#tokens = Math.min(this.#tokens + earned, perSecondMax * 2);
    this.#usedMs = nowMs;
    if (this.counters.active >= concurrencyMax) throw this.#tooMany(`${concurrencyMax} at once`);
    if (this.#tokens < 1) throw this.#tooMany(`${perSecondMax} a second`);
    this.#tokens -= 1;
    this.counters.requests += 1;
    this.counters.active += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.counters.active -= 1;
    };
  }

  sweep(): void {
    if (this.counters.active === 0 && performance.now() - this.#usedMs > IDLE_TTL_MS) {
      this.destroy();
    }
  }

  destroy(): void {
    this.http.destroy();
    this.https.destroy();
  }

  #tooMany(what: string): IgniteError {
    this.counters.limited += 1;
    return new IgniteError({
      code: "resource_exhausted",
      reason: "OVERLOADED",
      message: `The app makes too many outgoing requests: ${what} are allowed.`,
    });
  }
}
