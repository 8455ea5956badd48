/**
 * What happens around cells that misbehave. A cell that is busy with one guest for long loses its
 * other apps to a fresh cell at once; one that loops is ended; whoever is at fault gets a cell of
 * its own, and a pause when that does not help. Each request that a cell took with it gets a
 * record.
 */
import type { Clock } from "../../../core/clock.ts";
import type { ExecutionRecord } from "../../../core/deployment.ts";
import type { Reason } from "../../../core/errors.ts";
import { cpuMsDefault } from "../../../core/limits.ts";
import type { Log } from "../../../core/log.ts";
import type { Cell } from "../cells/cell.ts";
import type { CellPool } from "../cells/pool.ts";
import type { AppAddress, Documents } from "../documents/documents.ts";
import { type FailedRequest, wasLost } from "../front/failure-log.ts";
import type { WorkerdExit } from "../workerd-process.ts";
import { blameFor, causeOf, type Death, reasonFor } from "./death.ts";
import { Monitor } from "./monitor.ts";
import { type Strikes, strikeTtlMs } from "./strikes.ts";
import { type Suspects, suspectsOf } from "./suspects.ts";
import type { Verdict } from "./verdict.ts";

/** What supervision acts on. */
export interface SupervisionOptions {
  pool: () => CellPool;
  documents: Documents;
  strikes: Strikes;
  find(key: string): AppAddress | undefined;
  /** An app's group may have changed. */
  reroute(app: string): Promise<void>;
  onRecords(records: readonly ExecutionRecord[], dropped: number): void;
  oomKills(cell: Cell): number;
  clock: Clock;
  log: Log;
}

/** Counts since the start. */
export interface SupervisionCounts {
  heavy: number;
  loops: number;
  starved: number;
  lostRequests: number;
  deaths: Record<Death["cause"], number>;
}

interface Ended {
  death: Death;
  monitor: Monitor;
  atMs: number;
}

const TRIAL_CPU_MS = 3_000; // Loading may compile much, running a request may not
const TAKEOVER_PAUSE_MS = 10_000; // Between two for one group: heavy work must not churn cells
const DRAIN_TIMEOUT_MS = 30_000;
const REPORT_DELAY_MS = 300; // The front notices lost requests about when we notice a lost cell
const DEATH_TTL_MS = 10_000;
const STDERR_LINES = 40;
const SETTLE_MS = 200; // Its sockets close a little before its end is known here

/** Watches all cells. */
export class Supervision {
  readonly counts: SupervisionCounts = {
    heavy: 0,
    loops: 0,
    starved: 0,
    lostRequests: 0,
    deaths: { cpu: 0, memory: 0, crash: 0 },
  };
  readonly #options: SupervisionOptions;
  readonly #monitors = new Map<Cell, Monitor>();
  readonly #stderr = new Map<Cell, string[]>();
  readonly #ended = new Map<string, Ended>();
  readonly #takenOverMs = new Map<string, number>();
  /** When a group last lost a cell to one of its apps. */
  readonly #brokenMs = new Map<string, number>();
  readonly #reporting = new Set<() => void>();

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  /** Watches a cell until it ends. */
  watch(cell: Cell): void {
    const monitor = new Monitor(cell, {
      onRecords: (records, dropped) => this.#options.onRecords(records, dropped),
      onActive: () => {
        if (cell.group !== undefined) this.#options.pool().touch(cell.group);
      },
      budgetMs: (suspects) => this.#budgetMs(cell, suspects),
      onVerdict: (verdict, suspects) => void this.#onVerdict(monitor, verdict, suspects),
      onRecovered: () => this.#onRecovered(cell),
    });
    this.#monitors.set(cell, monitor);
  }

  /** The monitor of a cell that runs. */
  monitorOf(cell: Cell): Monitor | undefined {
    return this.#monitors.get(cell);
  }

  /** Keeps the last lines of a cell's stderr, which tell why it ended. */
  noteStderr(cell: Cell, line: string): void {
    const lines = this.#stderr.get(cell) ?? [];
    this.#stderr.set(cell, lines);
    lines.push(line.slice(0, 2_000));
    if (lines.length > STDERR_LINES) lines.shift();
  }

  /** A cell ended without being asked to. */
  onLost(cell: Cell, exit: WorkerdExit): Death {
    const monitor = this.#monitors.get(cell);
    const suspects = monitor?.suspects() ?? suspectsOf([], []);
    const looped = monitor?.looped ?? false;
    const cause = causeOf({
      exit,
      stderr: this.#stderr.get(cell) ?? [],
      looped,
      residentMb: monitor?.residentMb ?? 0,
      residentMbMax: cell.class.memoryMb,
      oomKills: this.#options.oomKills(cell),
    });
    const death: Death = { cause, suspects };
    this.counts.deaths[cause] += 1;
    this.#options.log.error("a cell ended", {
      cell: cell.id,
      group: cell.group,
      cause,
      code: exit.code ?? undefined,
      signal: exit.signal ?? undefined,
      suspects: suspects.apps.join(" "),
      lingering: suspects.lingering.join(" "),
      stderr: (this.#stderr.get(cell) ?? []).at(-1),
    });
    if (monitor !== undefined) {
      this.#ended.set(cell.id, { death, monitor, atMs: this.#options.clock.nowMs() });
    }
    const isExternal = exit.signal === "SIGKILL" || exit.code === 137;
    if (!looped && !cell.onTrial && !(cause === "crash" && isExternal)) this.#blame(cell, death);
    this.forget(cell);
    return death;
  }

  /** The end of the cell that had this slot last. */
  deathOf(cell: Cell): Death | undefined {
    const ended = this.#ended.get(cell.id);
    return ended?.monitor.cell === cell ? ended.death : undefined;
  }

  /** What to say of a request of `app` that the cell in this slot did not answer. */
  async lossIn(cellId: string, app: string): Promise<Reason> {
    const cell = this.#options.pool().cells.find(({ id }) => id === cellId);
    const pause = new Promise((resolve) => setTimeout(resolve, SETTLE_MS).unref());
    if (cell !== undefined) await Promise.race([cell.process.exited, pause]);
    const ended = this.#endedLately(cellId);
    return ended === undefined ? "CELL_LOST" : reasonFor(ended.death, app);
  }

  /** Watches a cell no longer that ends as it should. */
  forget(cell: Cell): void {
    this.#monitors.get(cell)?.stop();
    this.#monitors.delete(cell);
    this.#stderr.delete(cell);
  }

  /** The front could not bring a request to its end. */
  onFailure(failed: FailedRequest): void {
    if (!wasLost(failed)) return;
    const report = () => {
      clearTimeout(timer);
      this.#reporting.delete(report);
      this.#report(failed);
    };
    const timer = setTimeout(report, REPORT_DELAY_MS);
    this.#reporting.add(report);
  }

  /** Reports at once what was waiting to be reported. */
  flush(): void {
    for (const report of this.#reporting) report();
  }

  async #onVerdict(monitor: Monitor, verdict: Verdict, suspects: Suspects): Promise<void> {
    const { cell } = monitor;
    const { log } = this.#options;
    if (verdict === "starved") {
      this.counts.starved += 1;
      log.debug("a cell gets no CPU", { cell: cell.id });
      return;
    }
    log.warn("a cell does not answer", {
      cell: cell.id,
      verdict,
      suspects: suspects.apps.join(" "),
    });
    if (verdict === "heavy") return this.#onHeavy(cell, suspects);
    if (verdict === "loop") this.counts.loops += 1;
    await this.#condemn(monitor, suspects);
  }

  /** Somebody computes for long: the others of the cell go on elsewhere. */
  async #onHeavy(cell: Cell, { likeliest }: Suspects): Promise<void> {
    this.counts.heavy += 1;
    const { group } = cell;
    if (group === undefined || cell.onTrial || likeliest === undefined) return;
    if (group === likeliest) return; // It is alone here already
    const now = this.#options.clock.nowMs();
    if (now - (this.#takenOverMs.get(group) ?? -TAKEOVER_PAUSE_MS) < TAKEOVER_PAUSE_MS) return;
    this.#takenOverMs.set(group, now);
    this.#options.strikes.setApart(likeliest);
    await this.#reroute(likeliest);
    await this.#takeOver(cell);
  }

  /** Its group lives elsewhere now, so a cell that answers again ends when it is idle. */
  #onRecovered(cell: Cell): void {
    const { group } = cell;
    const pool = this.#options.pool();
    if (group === undefined || pool.serving(group) === cell) return;
    void pool.retire(cell, DRAIN_TIMEOUT_MS);
  }

  /** Ends a cell that will not answer any more, after its group has another. */
  async #condemn(monitor: Monitor, suspects: Suspects): Promise<void> {
    const { cell } = monitor;
    const death: Death = { cause: "cpu", suspects };
    if (!cell.onTrial) {
      this.#blame(cell, death);
      await this.#takeOver(cell);
    }
    await monitor.end();
  }

  #blame(cell: Cell, death: Death): void {
    const { strikes, log, clock } = this.#options;
    const now = clock.nowMs();
    const group = cell.group ?? "";
    const isRepeated = now - (this.#brokenMs.get(group) ?? -strikeTtlMs) < strikeTtlMs;
    this.#brokenMs.set(group, now);
    const { struck, apart } = blameFor(death, isRepeated);
    for (const app of apart) strikes.setApart(app);
    if (struck !== undefined) {
      const isPaused = strikes.strike(struck);
      log.warn("an app broke its cell", {
        app: struck,
        cell: cell.id,
        cause: death.cause,
        isPaused,
      });
    }
    for (const app of [...apart, ...(struck === undefined ? [] : [struck])])
      void this.#reroute(app);
  }

  async #takeOver(cell: Cell): Promise<void> {
    await this.#options
      .pool()
      .takeOver(cell)
      .catch((error: unknown) => {
        this.#options.log.error("no cell could take over", {
          cell: cell.id,
          reason: String(error),
        });
      });
  }

  async #reroute(app: string): Promise<void> {
    await this.#options.reroute(app).catch((error: unknown) => {
      this.#options.log.warn("the front was not told", { app, reason: String(error) });
    });
  }

  #budgetMs(cell: Cell, suspects: Suspects): number {
    if (cell.onTrial) return TRIAL_CPU_MS;
    const { apps, lingering } = suspects;
    const budgets = (apps.length > 0 ? apps : lingering).map((app) =>
      this.#options.documents.app(app),
    );
    const known = budgets.flatMap((app) => app?.document.limits.cpuMs ?? []);
    return known.length === 0 ? cpuMsDefault : Math.max(...known);
  }

  #endedLately(cellId: string): Ended | undefined {
    const ended = this.#ended.get(cellId);
    if (ended === undefined) return undefined;
    return this.#options.clock.nowMs() - ended.atMs < DEATH_TTL_MS ? ended : undefined;
  }

  #report(failed: FailedRequest): void {
    const ended = this.#endedLately(failed.server);
    const address = this.#options.find(failed.key);
    if (address === undefined) return;
    const { app } = address;
    const id = `exe_${failed.requestId}`;
    const version =
      address.version ??
      ended?.monitor.versionOf(id, app.key) ??
      app.document.traffic[0]?.version ??
      0;
    this.counts.lostRequests += 1;
    this.#options.onRecords(
      [
        {
          id,
          app: app.key,
          version,
          method: failed.method,
          path: pathSeenBy(failed),
          status: 503,
          outcome: "failed",
          reason: ended === undefined ? "CELL_LOST" : reasonFor(ended.death, app.key),
          startedMs: failed.endedMs - failed.durationMs,
          durationMs: failed.durationMs,
          cold: false,
        },
      ],
      0,
    );
  }
}

/** The path as the app sees it, which in the path form begins behind `/@org/app`. */
function pathSeenBy({ key, path }: FailedRequest): string {
  const prefix = `/${key}`;
  if (!key.startsWith("@") || !path.startsWith(prefix)) return path;
  return path.slice(prefix.length) || "/";
}
