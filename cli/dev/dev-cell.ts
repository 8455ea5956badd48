/**
 * The cell of `ignite dev`: the same gateway and isolates as on the platform, fed with whatever
 * compiled last. One app answers at every path of `localhost`. A process that ends, or that is
 * ended because its app loops, is followed by a new one with the same version.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type LogRecord, signDocument, type SignedDocument } from "../../core/deployment.ts";
import type { IgniteError } from "../../core/errors.ts";
import type { Digest } from "../../core/ids.ts";
import { cpuMsDefault, memoryMbDefault } from "../../core/limits.ts";
import { channelKey } from "../../core/plane-token.ts";
import { bundleCellWorker } from "../../runtime/build.ts";
import { Cell, type CellTemplate } from "../../runtime/host/cells/cell.ts";
import { cellClassFor } from "../../runtime/host/cells/cell-class.ts";
import { ArtifactCache } from "../../runtime/host/documents/artifacts.ts";
import { Documents } from "../../runtime/host/documents/documents.ts";
import { type Jail, openAir } from "../../runtime/host/jail/jail.ts";
import { CellOutput } from "../../runtime/host/logs/cell-output.ts";
import { SourceMaps } from "../../runtime/host/logs/source-maps.ts";
import type { EgressPort } from "../../runtime/host/ports.ts";
import { devApp, type DevVersion, documentOf } from "./dev-document.ts";
import { noteStderr, RunningCell } from "./running-cell.ts";

/** How the cell is started. */
export interface DevCellOptions {
  egress: EgressPort;
  /** Port of the V8 inspector, or undefined for none. */
  inspectorPort: number | undefined;
  /** Each line of the app's log, stacks in terms of its sources. */
  onLog: (record: LogRecord) => void;
  /** Called when the process ended, by itself or because its app looped. */
  onLost: (why: IgniteError) => void;
}

const NO_DOMAIN = ""; // The platform has no host here: `localhost` is the app's

const PUSH_TIMEOUT_MS = 30_000; // One that loops is ended long before
const END_NOTICE_MS = 1_000; // A process that closes its sockets has ended within it
const LOOP_CPU_MS = 1_000;
const CACHE_BYTES_MAX = 512 * 1024 * 1024;

/** Serves the newest version. */
export class DevCell {
  readonly #options: DevCellOptions;
  readonly #folder: string;
  readonly #masterKey = new Uint8Array(randomBytes(32));
  readonly #artifacts = new Map<Digest, Uint8Array>();
  #template: CellTemplate | undefined;
  #running: Promise<RunningCell> | undefined;
  #document: SignedDocument | undefined;
  #retired: RunningCell | undefined;
  #cellClass = cellClassFor(memoryMbDefault);
  #loopCpuMs = LOOP_CPU_MS;
  #versions = 0;
  #starts = 0;
  #stopping = false;

  private constructor(options: DevCellOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
  }

  /** Starts the process, without a version yet. */
  static async start(options: DevCellOptions): Promise<DevCell> {
    const dev = new DevCell(options, await mkdtemp(join(tmpdir(), "ignite-dev-")));
    dev.#template = await dev.#makeTemplate();
    await dev.current();
    return dev;
  }

  /** Whether there is a version that can answer. */
  get serves(): boolean {
    return this.#document !== undefined;
  }

  /** The process that takes requests, once it is up. Rejects when it does not start. */
  current(): Promise<RunningCell> {
    this.#running ??= this.#start().catch((error: unknown) => {
      this.#running = undefined; // The next one who asks tries again
      throw error;
    });
    return this.#running;
  }

  /** Serves this version from the next request on. */
  async update(version: DevVersion): Promise<void> {
    this.#versions += 1;
    this.#artifacts.clear();
    this.#artifacts.set(version.digest, version.artifact);
    this.#loopCpuMs = Math.max(LOOP_CPU_MS, version.limits.cpuMs ?? cpuMsDefault);
    const key = await channelKey(this.#masterKey, "documents");
    this.#document = await signDocument(key, {
      kind: "app",
      key: devApp,
      sequence: this.#versions,
      body: JSON.stringify(documentOf(version, this.#versions)),
    });
    this.#cellClass = cellClassFor(version.limits.memoryMb ?? memoryMbDefault);
    const running = await this.current();
    if (running.cell.class.memoryMb !== this.#cellClass.memoryMb) return this.#replace(running);
    try {
      await this.#push(running.cell);
    } catch (error) {
      const ended = running.lost.then(() => true);
      if (!(await Promise.race([ended, sleep(END_NOTICE_MS, false)]))) throw error;
      await this.current(); // Which starts with the newest version
    }
  }

  /** Ends the process and removes its files. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const running = await this.#running?.catch(() => undefined);
    await running?.cell.process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<RunningCell> {
    if (this.#template === undefined) throw new Error("the template is made first");
    this.#starts += 1;
    const cell = new Cell(this.#template, {
      id: `dev-${this.#starts}`,
      cellClass: this.#cellClass,
      forTrial: false,
    });
    cell.group = devApp;
    await cell.start();
    const running = new RunningCell(cell, () => this.#loopCpuMs);
    void running.lost.then((why) => this.#onLost(running, why));
    await this.#push(cell);
    return running;
  }

  async #push(cell: Cell): Promise<void> {
    if (this.#document === undefined) return;
    await this.#template?.documents.apply([this.#document]);
    await cell.admin.pushDocuments([this.#document], PUSH_TIMEOUT_MS);
  }

  /** A process has the memory that it was started with. */
  async #replace(running: RunningCell): Promise<void> {
    this.#retired = running;
    this.#running = undefined;
    await running.cell.process.stop();
    await this.current();
  }

  #onLost(running: RunningCell, why: IgniteError): void {
    if (this.#stopping || running === this.#retired) return;
    this.#running = undefined;
    this.#options.onLost(why);
    this.current().catch(() => {}); // Told to the next one who asks
  }

  async #makeTemplate(): Promise<CellTemplate> {
    const documents = new Documents({
      folder: join(this.#folder, "documents"),
      key: await channelKey(this.#masterKey, "documents"),
      domain: NO_DOMAIN,
    });
    const cache = new ArtifactCache({
      folder: join(this.#folder, "artifacts"),
      fetch: async (digest) => Readable.from([this.#artifacts.get(digest) ?? new Uint8Array()]),
      bytesMax: CACHE_BYTES_MAX,
    });
    await Promise.all([documents.load(), cache.load()]);
    const { egress, inspectorPort, onLog } = this.#options;
    return {
      folder: join(this.#folder, "cells"),
      worker: await bundleCellWorker(),
      domain: NO_DOMAIN,
      documentsKey: new Uint8Array(hkdfSync("sha256", this.#masterKey, "", "ignite/documents", 32)),
      documents,
      artifacts: cache,
      egress,
      jail: inspected(inspectorPort),
      groupOf: () => devApp,
      onLine: lineReader(onLog, new SourceMaps(cache)),
    };
  }
}

/** Reads log lines off the cells' output, in order though mapping a stack takes a moment. */
function lineReader(onLog: DevCellOptions["onLog"], maps: SourceMaps): CellTemplate["onLine"] {
  const outputs = new WeakMap<Cell, CellOutput>();
  let last = Promise.resolve();
  return (cell, line, stream) => {
    if (stream === "stderr") return noteStderr(cell, line);
    const output = outputs.get(cell) ?? new CellOutput(cell.token);
    outputs.set(cell, output);
    const read = output.read(line, Date.now());
    if (read.kind !== "log") return;
    const { record, artifact } = read;
    last = last.then(async () => onLog(await maps.applyTo(record, artifact)));
  };
}

/** No walls: the code is the developer's own. Adds the inspector's port to the command. */
function inspected(port: number | undefined): Jail {
  const open = openAir([]);
  if (port === undefined) return open;
  return {
    ...open,
    open: (request) => {
      const opened = open.open(request);
      return {
        ...opened,
        launch: ({ args: [serve = "serve", ...args], ...command }) =>
          opened.launch({
            ...command,
            args: [serve, `--inspector-addr=127.0.0.1:${port}`, ...args],
          }),
      };
    },
  };
}
