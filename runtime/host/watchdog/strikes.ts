/**
 * What the edge remembers of apps that broke their cell. One strike gives the app a cell of its
 * own for a while; several pause it. Everything is forgotten in time.
 */
import type { Clock } from "../../../core/clock.ts";

interface Conduct {
  /** When each strike happened. */
  strikesMs: number[];
  apartUntilMs: number;
  pausedUntilMs: number;
  /** Whether its cell is its own while it is apart. */
  alone: boolean;
}

/** How long a strike counts, and how long an app stays apart after the last one. */
export const strikeTtlMs = 10 * 60 * 1000;
/** How long an app is paused. */
export const pauseMs = 60 * 1000;
const PAUSING_STRIKES = 3;
const ALONE_MAX = 4; // Of one organization; its others that broke a cell share one

/** Strikes by app (`org/app`). */
export class Strikes {
  readonly #clock: Clock;
  readonly #conducts = new Map<string, Conduct>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives the app a cell of its own without blaming it. */
  setApart(app: string): void {
    const conduct = this.#conductOf(app);
    if (!this.isApart(app)) conduct.alone = this.#aloneOf(app) < ALONE_MAX;
    conduct.apartUntilMs = this.#clock.nowMs() + strikeTtlMs;
  }

  /** Blames the app for a broken cell. Answers whether it is paused by that. */
  strike(app: string): boolean {
    const now = this.#clock.nowMs();
    const conduct = this.#conductOf(app);
    this.setApart(app);
    conduct.strikesMs = [...conduct.strikesMs.filter((at) => at > now - strikeTtlMs), now];
    if (conduct.strikesMs.length < PAUSING_STRIKES) return false;
    conduct.pausedUntilMs = now + pauseMs;
    return true;
  }

  /** Whether the app must have a cell of its own. */
  isApart(app: string): boolean {
    return (this.#conducts.get(app)?.apartUntilMs ?? 0) > this.#clock.nowMs();
  }

  /** Whether the app, being apart, has a cell that no other app has. */
  isAlone(app: string): boolean {
    return this.isApart(app) && this.#conducts.get(app)?.alone === true;
  }

  /** For how much longer the app answers nothing; 0 when it is not paused. */
  pausedForMs(app: string): number {
    const until = this.#conducts.get(app)?.pausedUntilMs ?? 0;
    return Math.max(0, until - this.#clock.nowMs());
  }

  /** Apps whose pause or time apart ended since the last call, and which must be routed anew. */
  takeReleased(): string[] {
    const now = this.#clock.nowMs();
    const released: string[] = [];
    for (const [app, conduct] of this.#conducts) {
      const pauseEnded = conduct.pausedUntilMs > 0 && conduct.pausedUntilMs <= now;
      if (pauseEnded) conduct.pausedUntilMs = 0;
      const apartEnded = conduct.apartUntilMs <= now;
      if (apartEnded && conduct.pausedUntilMs === 0) this.#conducts.delete(app);
      if (pauseEnded || apartEnded) released.push(app);
    }
    return released;
  }

  /** How many apps are apart and how many are paused. */
  counts(): { apart: number; paused: number } {
    const apps = Array.from(this.#conducts.keys());
    return {
      apart: apps.filter((app) => this.isApart(app)).length,
      paused: apps.filter((app) => this.pausedForMs(app) > 0).length,
    };
  }

  /** How many apps of the app's organization are alone. */
  #aloneOf(app: string): number {
    const prefix = app.slice(0, app.indexOf("/") + 1);
    const apps = Array.from(this.#conducts.keys());
    return apps.filter((other) => other.startsWith(prefix) && this.isAlone(other)).length;
  }

  #conductOf(app: string): Conduct {
    const known = this.#conducts.get(app);
    if (known !== undefined) return known;
    const conduct = { strikesMs: [], apartUntilMs: 0, pausedUntilMs: 0, alone: false };
    this.#conducts.set(app, conduct);
    return conduct;
  }
}
