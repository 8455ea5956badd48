/**
 * The edge host: supervisor of the cells, of the front before them, and of what they know. Runs
 * inside `ignite up` and in tests; everything it starts ends with it.
 */
import { hkdfSync, randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "../../core/clock.ts";
import type { ExecutionRecord, SignedDocument } from "../../core/deployment.ts";
import { IgniteError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { channelKey } from "../../core/plane-token.ts";
import { bundleCellWorker } from "../build.ts";
import { Cell, type CellTemplate, frontSocketOf, type OpenFront } from "./cells/cell.ts";
import type { TrialResult } from "./cells/cell-admin.ts";
import { cellClassFor, residentMbMark } from "./cells/cell-class.ts";
import { CellPool } from "./cells/pool.ts";
import type { Trial } from "./cells/trial.ts";
import { Trials } from "./cells/trials.ts";
import { ArtifactCache } from "./documents/artifacts.ts";
import { type ControlClient, controlClient } from "./documents/control-client.ts";
import { Documents } from "./documents/documents.ts";
import { DocumentFeed } from "./documents/feed.ts";
import type { EdgeOptions } from "./edge-options.ts";
import { type EdgeServer, startEdgeServer } from "./edge-server.ts";
import { type Assigner, startAssigner } from "./front/assigner.ts";
import { type Front, startFront } from "./front/front.ts";
import { findJail } from "./jail/find-jail.ts";
import type { Jail } from "./jail/jail.ts";
import { CellOutput } from "./logs/cell-output.ts";
import { GuestLogs, type LogEntry } from "./logs/guest-logs.ts";
import { Shipper } from "./logs/shipper.ts";
import { SourceMaps } from "./logs/source-maps.ts";
import { TokenBucket } from "./logs/token-bucket.ts";
import { type EdgeHealth, renderMetrics, type SandboxStatus } from "./metrics.ts";
import { OpenListener } from "./open-front/open-listener.ts";
import { openGroup } from "./groups.ts";
import { noEgress } from "./ports.ts";
import { findProgram } from "./programs.ts";
import { Routing } from "./routing.ts";
import type { Monitor } from "./watchdog/monitor.ts";
import { Strikes } from "./watchdog/strikes.ts";
import { Supervision } from "./watchdog/supervision.ts";

const CELLS_MAX = 64;
const SPARES = 1;
const OPEN_CELLS = 2;
const POLL_MS = 3_000;
const PUSH_TIMEOUT_MS = 2_000;
const ARTIFACT_CACHE_BYTES_MAX = 2 * 1024 * 1024 * 1024;
const DRAIN_TIMEOUT_MS = 10_000;
const HOUSEKEEPING_MS = 1_000;
const RECYCLE_DRAIN_MS = 60_000;
const CELL_IDLE_MS_MAX = 30 * 60 * 1000;
const CELL_AGE_MS_MAX = 24 * 60 * 60 * 1000;
const LAST_PING_TIMEOUT_MS = 500;
const LAST_BATCH_TIMEOUT_MS = 2_000;
const NOISE_LENGTH_MAX = 2_000;

/** Starts the edge; it takes traffic when the promise is fulfilled. Fails with PORT_IN_USE. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const edge = new Edge(options);
  try {
    await edge.start();
  } catch (error) {
    await edge.close(0);
    throw error;
  }
  return edge;
}

/** A running edge. */
export class Edge {
  /** Log lines of guests as they come, for terminals. */
  readonly logs = new EventEmitter<{ entry: [LogEntry] }>();
  readonly #options: EdgeOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #jail: Jail;
  readonly #cellsFolder: string;
  /** Undefined where cells must listen to callers themselves. */
  readonly #haproxy: string | undefined;
  readonly #listener: OpenListener;
  readonly #boot = randomUUID();
  readonly #strikes: Strikes;
  readonly #trials: Trials;
  readonly #outputs = new WeakMap<Cell, CellOutput>();
  readonly #noise: TokenBucket;
  #documents!: Documents;
  #artifacts!: ArtifactCache;
  #maps!: SourceMaps;
  #control!: ControlClient;
  #supervision!: Supervision;
  #guestLogs!: GuestLogs;
  #executions!: Shipper<ExecutionRecord>;
  #logShipper!: Shipper<LogEntry>;
  #routing!: Routing;
  #pool: CellPool | undefined;
  #front: Front | undefined;
  #assigner: Assigner | undefined;
  #server: EdgeServer | undefined;
  #feed: DocumentFeed | undefined;
  #housekeeping: NodeJS.Timeout | undefined;
  #recordsDropped = 0;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log;
    this.#jail = options.jail ?? findJail(join(options.run, "jail"));
    this.#cellsFolder = join(options.run, "cells");
    this.#haproxy = options.withoutProxy === true ? undefined : findProgram("haproxy");
    this.#listener = new OpenListener(options.listen);
    this.#strikes = new Strikes(this.#clock);
    this.#trials = new Trials(options.cellsMax ?? CELLS_MAX);
    this.#noise = new TokenBucket({ clock: this.#clock, perSecond: 20, burst: 200 });
  }

  /** Where callers reach it. */
  get url(): string {
    return `http://${this.#options.domain}:${this.port}`;
  }

  /** The port that the front listens at. */
  get port(): number {
    return this.#front?.port ?? this.#listener.port;
  }

  /** Sockets for the processes beside it. */
  get sockets(): { edge: string; front: string } {
    const { run } = this.#options;
    return { edge: join(run, "edge.sock"), front: join(run, "front.sock") };
  }

  /** What isolates cells on this machine. */
  get sandbox(): SandboxStatus {
    const proxy = this.#haproxy === undefined ? ["haproxy: all apps share their processes"] : [];
    const missing = [...this.#jail.missing, ...proxy];
    return { sandboxed: missing.length === 0, missing };
  }

  /** Starts everything; see {@link startEdge}. */
  async start(): Promise<void> {
    const { run, masterKey } = this.#options;
    await mkdir(run, { recursive: true, mode: 0o700 });
    await rm(this.#cellsFolder, { recursive: true, force: true });
    await this.#openStores();
    this.#openRecords();
    this.#routing = new Routing({
      documents: this.#documents,
      strikes: this.#strikes,
      pool: () => this.#openPool(),
      isOpen: this.#haproxy === undefined,
    });
    this.#supervision = this.#makeSupervision();
    this.#pool = await this.#makePool();
    await Promise.all([this.#pool.open(), this.#startFront()]);
    this.#feed = new DocumentFeed({
      control: this.#control,
      apply: (documents) => this.apply(documents),
      pollMs: this.#options.pollMs ?? POLL_MS,
      log: this.#log,
    });
    this.#server = await startEdgeServer({
      socketPath: this.sockets.edge,
      key: await channelKey(masterKey, "edge"),
      clock: this.#clock,
      edge: this,
    });
    this.#housekeeping = setInterval(() => void this.#keepHouse(), HOUSEKEEPING_MS);
    this.#housekeeping.unref();
  }

  /**
   * Takes signed documents in and brings them to every cell that holds their organization; answers
   * when those cells have confirmed, or `PUSH_TIMEOUT_MS` passed. Counts what was new.
   */
  async apply(documents: readonly SignedDocument[]): Promise<{ applied: number; late: number }> {
    const newer = await this.#documents.apply(documents);
    const cells = this.#pool?.cells ?? [];
    const whole = this.#documents.withOrganizations(newer);
    const pushed = await Promise.all(cells.map((cell) => this.#push(cell, whole)));
    await Promise.all(newer.map((document) => this.#routing.refreshFor(document)));
    for (const document of newer) this.#prefetch(document);
    return { applied: newer.length, late: pushed.filter((confirmed) => !confirmed).length };
  }

  /** Loads a version away from traffic, and sends it requests. Fails with CONTROL_UNAVAILABLE. */
  async tryVersion(trial: Trial): Promise<TrialResult> {
    const pool = this.#openPool();
    await this.#artifacts.ensure(trial.version.artifact);
    const app = this.#documents.app(trial.app);
    return this.#trials.run(trial, {
      pool,
      maps: this.#maps,
      supervision: this.#supervision,
      cellClass: cellClassFor(app?.document.limits.memoryMb ?? 0),
      // Without a proxy a cell that was on trial listens to nobody
      group:
        app === undefined || this.#haproxy === undefined ? undefined : this.#routing.groupOf(app),
    });
  }

  /** What doctor and `/readyz` want to know. */
  health(): EdgeHealth {
    const cells = this.#pool?.cells ?? [];
    return {
      sandbox: this.sandbox,
      controlReachable: this.#feed?.reachable ?? false,
      front: { pid: this.#front?.pid(), restarts: this.#front?.restarts() ?? 0 },
      documents: this.#documents.size,
      cells: cells.map((cell) => {
        const monitor = this.#supervision.monitorOf(cell);
        const { isolates, inflight } = monitor?.load ?? { isolates: 0, inflight: 0 };
        const residentMb = Math.round(monitor?.residentMb ?? 0);
        const { pid } = cell.process;
        return { id: cell.id, group: cell.group, pid, isolates, inflight, residentMb };
      }),
    };
  }

  /** Ends a cell's process at once, as a fault would; false when there is no such cell. */
  killCell(id: string): boolean {
    const cell = this.#pool?.cells.find((candidate) => candidate.id === id);
    cell?.process.kill("SIGKILL");
    return cell !== undefined;
  }

  /** Gives a cell's apps a fresh cell and lets it drain; false when there is no such cell. */
  async replaceCell(id: string): Promise<boolean> {
    return this.#openPool().renew(id, RECYCLE_DRAIN_MS);
  }

  /** Metrics of the edge in Prometheus text. */
  metrics(): string {
    return renderMetrics({
      health: this.health(),
      supervision: this.#supervision.counts,
      strikes: this.#strikes.counts(),
      cellsLost: this.#pool?.lost ?? 0,
      artifacts: this.#artifacts.stats,
      executions: this.#executions.counts,
      logs: this.#logShipper.counts,
      recordsDropped: this.#recordsDropped,
      logLinesDropped: this.#guestLogs.dropped,
    });
  }

  /** Stops accepting and lets running requests finish, at most `graceMs`. */
  async drain(graceMs = DRAIN_TIMEOUT_MS): Promise<void> {
    await this.#front?.stop(graceMs);
  }

  /** Ends everything, after draining. */
  async close(graceMs = DRAIN_TIMEOUT_MS): Promise<void> {
    clearInterval(this.#housekeeping);
    this.#feed?.close();
    await this.drain(graceMs);
    await this.#assigner?.close();
    await this.#pool?.close(graceMs);
    this.#supervision?.flush();
    await this.#guestLogs?.flush();
    await this.#executions?.close(LAST_BATCH_TIMEOUT_MS);
    await this.#logShipper?.close(LAST_BATCH_TIMEOUT_MS);
    await this.#server?.close();
    await this.#control?.close();
    this.#jail.close();
  }

  async #openStores(): Promise<void> {
    const { data, masterKey, domain, control } = this.#options;
    this.#control = controlClient({
      socketPath: control.internalSocket,
      key: await channelKey(masterKey, "control"),
      clock: this.#clock,
    });
    const key = await channelKey(masterKey, "documents");
    this.#documents = new Documents({ folder: join(data, "edge", "documents"), key, domain });
    this.#artifacts = new ArtifactCache({
      folder: join(data, "edge", "artifacts"),
      fetch: (digest) => this.#control.artifact(digest),
      bytesMax: ARTIFACT_CACHE_BYTES_MAX,
    });
    this.#maps = new SourceMaps(this.#artifacts);
    await Promise.all([this.#documents.load(), this.#artifacts.load()]);
  }

  #openRecords(): void {
    const log = this.#log;
    const boot = this.#boot;
    this.#executions = new Shipper({
      name: "executions",
      send: (batch, records) =>
        this.#control.post("/internal/executions", { boot, batch, records }),
      log,
    });
    this.#logShipper = new Shipper({
      name: "logs",
      send: (batch, entries) => this.#control.post("/internal/logs", { boot, batch, entries }),
      log,
    });
    this.#guestLogs = new GuestLogs({
      clock: this.#clock,
      maps: this.#maps,
      onEntries: (entries) => {
        for (const entry of entries) this.logs.emit("entry", entry);
        this.#logShipper.push(entries);
      },
    });
  }

  #makeSupervision(): Supervision {
    return new Supervision({
      pool: () => this.#openPool(),
      documents: this.#documents,
      strikes: this.#strikes,
      find: (key) => this.#routing.find(key),
      reroute: (app) => this.#routing.refresh(app),
      onRecords: (records, dropped) => {
        this.#recordsDropped += dropped;
        this.#executions.push(records);
        this.#guestLogs.addFailures(records);
      },
      oomKills: (cell) => this.#jail.oomKills(cell.id),
      clock: this.#clock,
      log: this.#log,
    });
  }

  async #makePool(): Promise<CellPool> {
    const { masterKey, domain, egress = noEgress, cellsMax = CELLS_MAX } = this.#options;
    const template: CellTemplate = {
      folder: this.#cellsFolder,
      worker: this.#options.cellWorker ?? (await bundleCellWorker()),
      domain,
      documentsKey: rawDocumentsKey(masterKey),
      documents: this.#documents,
      artifacts: this.#artifacts,
      egress,
      jail: this.#jail,
      groupOf: (app) => this.#routing.groupOf(app),
      onLine: (cell, line, stream) => this.#onLine(cell, line, stream),
      ...(this.#haproxy === undefined ? { open: this.#openTemplate() } : {}),
    };
    return new CellPool({
      slots: slotsOf(cellsMax),
      spares: this.#haproxy === undefined ? 0 : (this.#options.spares ?? SPARES),
      clock: this.#clock,
      log: this.#log,
      start: async (start) => {
        const cell = new Cell(template, start);
        this.#outputs.set(cell, new CellOutput(cell.token));
        await cell.start();
        this.#supervision.watch(cell);
        return cell;
      },
      classOf: (group) => this.#routing.classOf(group),
      onServing: async (group, cell) => this.#front?.groups.set(group, cell?.id),
      onLost: (cell, exit) => void this.#supervision.onLost(cell, exit),
      isBusy: (cell) => (this.#supervision.monitorOf(cell)?.load.inflight ?? 0) > 0,
      onRetiring: async (cell) => {
        await this.#supervision.monitorOf(cell)?.flush(LAST_PING_TIMEOUT_MS);
        this.#supervision.forget(cell);
      },
    });
  }

  async #startFront(): Promise<void> {
    const { run, domain, listen, control, cellsMax = CELLS_MAX } = this.#options;
    const haproxy = this.#haproxy;
    if (haproxy === undefined) return this.#openFront();
    const assignSocket = join(run, "edge-miss.sock");
    const platformHosts = [domain, "127.0.0.1"];
    this.#assigner = await startAssigner({
      socketPath: assignSocket,
      platformHosts,
      find: (key) => this.#routing.find(key),
      assign: (address, key) => this.#routing.assign(address, key),
      lossIn: (cellId, app) => this.#supervision.lossIn(cellId, app),
      onUnreachable: (cellId) => this.#openPool().onUnreachable(cellId),
      onFailure: (failed) => this.#supervision.onFailure(failed),
    });
    this.#front = await startFront({
      run,
      ...listen,
      platformHosts,
      controlSocket: control.publicSocket,
      assignSocket,
      cells: slotsOf(cellsMax).map((id) => ({ id, socket: frontSocketOf(this.#cellsFolder, id) })),
      haproxy,
      prepare: (hosts) => this.#routing.connect(hosts),
      onFailure: (failed) => this.#supervision.onFailure(failed),
      log: this.#log,
    });
  }

  #openTemplate(): OpenFront {
    const { publicSocket } = this.#options.control;
    return { listen: () => this.#listener.listen(), controlSocket: publicSocket };
  }

  /** Without a proxy: cells that listen themselves, and this process for callers on the machine. */
  async #openFront(): Promise<void> {
    const pool = this.#openPool();
    for (let at = 1; at <= OPEN_CELLS; at += 1) await pool.cellFor(`${openGroup}.${at}`);
    this.#assigner = await startAssigner({
      socketPath: this.sockets.front,
      platformHosts: [this.#options.domain, "127.0.0.1"],
      find: (key) => this.#routing.find(key),
      assign: () => pool.cellFor(`${openGroup}.1`),
      lossIn: (cellId, app) => this.#supervision.lossIn(cellId, app),
      onUnreachable: (cellId) => pool.onUnreachable(cellId),
      onFailure: (failed) => this.#supervision.onFailure(failed),
    });
  }

  #openPool(): CellPool {
    if (this.#pool === undefined) throw new Error("the edge was not started");
    return this.#pool;
  }

  async #push(cell: Cell, documents: readonly SignedDocument[]): Promise<boolean> {
    const wanted = documents.filter((document) => this.#routing.concerns(cell, document));
    if (wanted.length === 0) return true;
    try {
      await cell.admin.pushDocuments(wanted, PUSH_TIMEOUT_MS);
      return true;
    } catch (error) {
      const { internal } = IgniteError.from(error);
      this.#log.warn("a cell did not confirm documents", { cell: cell.id, reason: internal });
      return false;
    }
  }

  /** Brings the artifacts of versions that get traffic here before anybody asks for them. */
  #prefetch({ kind, key }: SignedDocument): void {
    const app = kind === "app" ? this.#documents.app(key) : undefined;
    for (const { version } of app?.document.traffic ?? []) {
      const artifact = app?.document.versions[version]?.artifact;
      if (artifact !== undefined) this.#artifacts.ensure(artifact).catch(() => {}); // Calls retry
    }
  }

  #onLine(cell: Cell, line: string, stream: "stdout" | "stderr"): void {
    if (stream === "stderr") this.#supervision.noteStderr(cell, line);
    const read =
      stream === "stdout"
        ? this.#outputs.get(cell)?.read(line, this.#clock.nowMs())
        : { kind: "noise" as const };
    if (read?.kind === "enter") this.#supervision.monitorOf(cell)?.enter(read.entry);
    if (read?.kind === "log") this.#guestLogs.add(read.record, read.artifact, read.bytes);
    if (read?.kind === "noise" && this.#noise.take(1)) {
      this.#log.debug(line.slice(0, NOISE_LENGTH_MAX), { cell: cell.id, stream });
    }
  }

  /** Once a second: routes apps that are free again, and replaces cells that are worn out. */
  async #keepHouse(): Promise<void> {
    for (const app of this.#strikes.takeReleased()) {
      await this.#routing.refresh(app).catch(() => {}); // The front restarts with the truth
    }
    void this.#guestLogs.flush();
    const pool = this.#openPool();
    await pool.retireIdle(CELL_IDLE_MS_MAX).catch(() => {}); // The next round tries again
    const worn = pool.cells.find((cell) => {
      const monitor = this.#supervision.monitorOf(cell);
      const isServing = cell.group !== undefined && pool.serving(cell.group) === cell;
      return isServing && monitor !== undefined && isWornOut(cell, monitor);
    });
    if (worn === undefined) return;
    this.#log.info("a cell is replaced", { cell: worn.id, group: worn.group });
    await pool.replace(worn, RECYCLE_DRAIN_MS).catch((error: unknown) => {
      this.#log.warn("a cell could not be replaced", { cell: worn.id, reason: String(error) });
    });
  }
}

function isWornOut(cell: Cell, monitor: Monitor): boolean {
  return monitor.residentMb >= residentMbMark(cell.class) || monitor.ageMs >= CELL_AGE_MS_MAX;
}

/** The bytes of the channel key that `channelKey(master, "documents")` holds. */
function rawDocumentsKey(masterKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", masterKey, "", "ignite/documents", 32));
}

function slotsOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `c${at + 1}`);
}
