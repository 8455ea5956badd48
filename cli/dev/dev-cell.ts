/**
 * The cell of `ignite dev`: the same gateway and isolates as on the platform, fed with whatever
 * compiled last. One app answers at every path of `localhost`.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  type AppDocument,
  type InvocationLimits,
  type LogRecord,
  signDocument,
  type SignedDocument,
} from "../../core/deployment.ts";
import type { Digest } from "../../core/ids.ts";
import {
  bodyMbDefault,
  cpuMsDefault,
  memoryMbDefault,
  timeoutMsDefault,
} from "../../core/limits.ts";
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

/** A version to serve. */
export interface DevVersion {
  artifact: Uint8Array<ArrayBuffer>;
  digest: Digest;
  vars: Readonly<Record<string, string>>;
  limits: Partial<InvocationLimits>;
  schema: AppDocument["schema"];
}

/** How the cell is started. */
export interface DevCellOptions {
  egress: EgressPort;
  /** Port of the V8 inspector, or undefined for none. */
  inspectorPort: number | undefined;
  /** Each line of the app's log, stacks in terms of its sources. */
  onLog: (record: LogRecord) => void;
  /** Called when the process ended by itself. */
  onLost: () => void;
}

/** The name under which the app runs here. */
export const devApp = "dev/app";

/** The platform's domain here; the app answers at `localhost`, as a custom domain. */
export const devDomain = "ignite-dev.invalid";

const PUSH_TIMEOUT_MS = 5_000;
const CACHE_BYTES_MAX = 512 * 1024 * 1024;

/** One workerd process that serves the newest version. */
export class DevCell {
  readonly #options: DevCellOptions;
  readonly #template: CellTemplate;
  readonly #folder: string;
  readonly #masterKey: Uint8Array<ArrayBuffer>;
  readonly #artifacts: Map<Digest, Uint8Array>;
  #cell: Cell | undefined;
  #document: SignedDocument | undefined;
  #number = 0;
  #stopping = false;

  private constructor(
    options: DevCellOptions,
    folder: string,
    masterKey: Uint8Array<ArrayBuffer>,
    template: CellTemplate,
    artifacts: Map<Digest, Uint8Array>,
  ) {
    this.#options = options;
    this.#folder = folder;
    this.#masterKey = masterKey;
    this.#template = template;
    this.#artifacts = artifacts;
  }

  /** Starts the process, without a version yet. */
  static async start(options: DevCellOptions): Promise<DevCell> {
    const folder = await mkdtemp(join(tmpdir(), "ignite-dev-"));
    const masterKey = new Uint8Array(randomBytes(32));
    const artifacts = new Map<Digest, Uint8Array>();
    const template = await templateOf(options, folder, masterKey, artifacts);
    const dev = new DevCell(options, folder, masterKey, template, artifacts);
    await dev.#start();
    return dev;
  }

  /** Where requests go. */
  get socketPath(): string | undefined {
    return this.#document === undefined ? undefined : this.#cell?.frontSocket;
  }

  /** Serves this version from the next request on. */
  async update(version: DevVersion): Promise<void> {
    this.#number += 1;
    this.#artifacts.clear();
    this.#artifacts.set(version.digest, version.artifact);
    const key = await channelKey(this.#masterKey, "documents");
    this.#document = await signDocument(key, {
      kind: "app",
      key: devApp,
      sequence: this.#number,
      body: JSON.stringify(documentOf(version, this.#number)),
    });
    await this.#push();
  }

  /** Ends the process and removes its files. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#cell?.process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const cell = new Cell(this.#template, {
      id: `dev-${this.#number}`,
      cellClass: cellClassFor(memoryMbDefault),
      forTrial: false,
    });
    cell.group = devApp;
    await cell.start();
    this.#cell = cell;
    void cell.process.exited.then(() => this.#onExit());
    await this.#push();
  }

  async #push(): Promise<void> {
    if (this.#document === undefined) return;
    await this.#template.documents.apply([this.#document]);
    await this.#cell?.admin.pushDocuments([this.#document], PUSH_TIMEOUT_MS);
  }

  async #onExit(): Promise<void> {
    if (this.#stopping) return;
    this.#options.onLost();
    await this.#start();
  }
}

async function templateOf(
  options: DevCellOptions,
  folder: string,
  masterKey: Uint8Array<ArrayBuffer>,
  artifacts: ReadonlyMap<Digest, Uint8Array>,
): Promise<CellTemplate> {
  const documents = new Documents({
    folder: join(folder, "documents"),
    key: await channelKey(masterKey, "documents"),
    domain: devDomain,
  });
  const cache = new ArtifactCache({
    folder: join(folder, "artifacts"),
    fetch: async (digest) => Readable.from([artifacts.get(digest) ?? new Uint8Array()]),
    bytesMax: CACHE_BYTES_MAX,
  });
  await Promise.all([documents.load(), cache.load()]);
  return {
    folder: join(folder, "cells"),
    worker: await bundleCellWorker(),
    domain: devDomain,
    documentsKey: new Uint8Array(hkdfSync("sha256", masterKey, "", "ignite/documents", 32)),
    documents,
    artifacts: cache,
    egress: options.egress,
    jail: inspected(options.inspectorPort),
    groupOf: () => devApp,
    onLine: logReader(options, new SourceMaps(cache)),
  };
}

/** Reads log lines off the cells' output, in order though mapping a stack takes a moment. */
function logReader(options: DevCellOptions, maps: SourceMaps): CellTemplate["onLine"] {
  const outputs = new WeakMap<Cell, CellOutput>();
  let last = Promise.resolve();
  return (cell, line) => {
    const output = outputs.get(cell) ?? new CellOutput(cell.token);
    outputs.set(cell, output);
    const read = output.read(line, Date.now());
    if (read.kind !== "log") return;
    const { record, artifact } = read;
    last = last.then(async () => {
      const stack = record.stack && (await maps.apply(artifact, record.stack));
      options.onLog({ ...record, stack });
    });
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

function documentOf(version: DevVersion, number: number): AppDocument {
  const defaults: InvocationLimits = {
    memoryMb: memoryMbDefault,
    cpuMs: cpuMsDefault,
    timeoutMs: timeoutMsDefault,
    bodyMb: bodyMbDefault,
    methods: [],
  };
  const [org = "", app = ""] = devApp.split("/");
  return {
    appId: "app_dev",
    org,
    app,
    deleted: false,
    domains: ["localhost", "127.0.0.1"],
    access: { policy: "public" },
    limits: { ...defaults, ...version.limits },
    traffic: [{ version: number, weight: 100 }],
    sticky: "none",
    schema: version.schema,
    versions: {
      [number]: {
        versionId: `ver_dev${number}`,
        number,
        artifact: version.digest,
        vars: version.vars,
      },
    },
  };
}
