/** One cell: a workerd process with the gateway Worker, its sockets and what it may see. */
import { randomBytes } from "node:crypto";
import { chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { toBase64Url } from "../../../core/plane-token.ts";
import type { Digest } from "../../../core/ids.ts";
import type { CellConfig } from "../../dispatch/config.ts";
import type { ArtifactCache } from "../documents/artifacts.ts";
import type { Documents, KnownApp } from "../documents/documents.ts";
import { type Relay, startRelay } from "../open-front/relay.ts";
import type { Jail } from "../jail/jail.ts";
import { servesGroup } from "../groups.ts";
import type { EgressPort } from "../ports.ts";
import type { WorkerdConfig } from "../workerd-config.ts";
import { type Listening, startWorkerd, type WorkerdProcess } from "../workerd-process.ts";
import { type CellAdmin, cellAdmin } from "./cell-admin.ts";
import { type HostServer, startHostServer } from "./host-server.ts";
import type { CellClass } from "./cell-class.ts";

/** What every cell of an edge is made from. */
export interface CellTemplate {
  /** Holds a folder per cell. */
  folder: string;
  /** The gateway Worker as one ES module. */
  worker: string;
  domain: string;
  /** Raw bytes of the `documents` channel key. */
  documentsKey: Uint8Array;
  documents: Documents;
  artifacts: ArtifactCache;
  egress: EgressPort;
  jail: Jail;
  groupOf(app: KnownApp): string;
  /** Set where no proxy stands in front: cells take callers' connections themselves. */
  open?: OpenFront;
  onLine(cell: Cell, line: string, stream: "stdout" | "stderr"): void;
}

/** How cells listen to the world without a proxy. */
export interface OpenFront {
  /** Opens one more listener at the public address. */
  listen(): Promise<Listening>;
  controlSocket: string;
}

const COMPATIBILITY_DATE = "2026-08-01";
const COMPATIBILITY_FLAGS = ["experimental"] as const;

/** What tells one cell from the next. */
export interface NewCell {
  id: string;
  cellClass: CellClass;
  /** It is for a trial and must never take callers' requests. */
  forTrial: boolean;
}

/** A running cell. */
export class Cell {
  readonly id: string;
  /** Begins every line on its stdout that is the platform's. */
  readonly token: string;
  readonly class: CellClass;
  readonly frontSocket: string;
  readonly admin: CellAdmin;
  readonly startedMs: number;
  /** Whom it serves; undefined for a blank cell. Set once. */
  group: string | undefined;
  /** Somebody has taken it: it is not one of the blank ones that stand ready. */
  claimed = false;
  /** A version is being tried in it, away from traffic. */
  onTrial = false;
  /** Artifacts it may load though no document names them yet. */
  readonly trials = new Set<Digest>();
  readonly #template: CellTemplate;
  readonly #open: OpenFront | undefined;
  readonly #folder: string;
  #process: WorkerdProcess | undefined;
  #ended = Promise.resolve();
  #host: HostServer | undefined;
  #relay: Relay | undefined;

  constructor(template: CellTemplate, { id, cellClass, forTrial }: NewCell) {
    this.id = id;
    this.class = cellClass;
    this.#open = forTrial ? undefined : template.open;
    this.token = toBase64Url(randomBytes(18));
    this.#template = template;
    this.#folder = join(template.folder, id);
    this.frontSocket = frontSocketOf(template.folder, id);
    this.admin = cellAdmin(join(this.#folder, "admin.sock"));
    this.startedMs = Date.now();
  }

  /** The process; throws before the cell was started. */
  get process(): WorkerdProcess {
    if (this.#process === undefined) throw new Error(`${this.id} was not started`);
    return this.#process;
  }

  /** Fulfilled when the process has ended and its slot holds nothing of it any more. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Starts the process and waits until it answers. Rejects when it does not. */
  async start(): Promise<void> {
    const { jail, egress, documents, artifacts } = this.#template;
    const configFolder = `${this.#folder}.config`;
    const owner = jail.ownerOf(this.id);
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (owner !== undefined) await chown(this.#folder, owner.uid, owner.gid);
    const scope = {
      serves: (app: KnownApp) => servesGroup(this.group, this.#template.groupOf(app)),
      mayLoad: (digest: Digest) => this.trials.has(digest) || this.#namesArtifact(digest),
    };
    const socketPath = join(this.#folder, "host.sock");
    this.#host = await startHostServer({ socketPath, scope, documents, artifacts });
    await egress.open(this.id, join(this.#folder, "egress.sock"));
    if (this.#open !== undefined) {
      this.#relay = await startRelay(join(this.#folder, "control.sock"), this.#open.controlSocket);
    }
    const opened = jail.open({
      id: this.id,
      class: this.class,
      writable: this.#folder,
      readable: configFolder,
    });
    try {
      this.#process = await startWorkerd({
        name: `cell ${this.id}`,
        folder: configFolder,
        config: this.#config(),
        onLine: (line, stream) => this.#template.onLine(this, line, stream),
        launch: opened.launch,
        ...(owner === undefined ? {} : { owner }),
        ...(this.#open === undefined ? {} : { listen: this.#open.listen }),
      });
    } catch (error) {
      await this.#release();
      throw error;
    } finally {
      opened.close();
    }
    this.#ended = this.#process.exited.then(() => this.#release());
  }

  async #release(): Promise<void> {
    await this.#host?.close();
    await this.#relay?.close();
    await this.#template.egress.close(this.id);
    await this.admin.close();
    this.#template.jail.release(this.id);
    await rm(this.frontSocket, { force: true });
  }

  #namesArtifact(digest: Digest): boolean {
    const { documents, groupOf } = this.#template;
    return documents.appsWith(digest).some((app) => servesGroup(this.group, groupOf(app)));
  }

  /**
   * Wasm memory is V8's to bound only where the kernel does not bound all of it: with that flag
   * workerd refuses its cache of compiled start-up code, and a cold start takes 0.5 ms more.
   */
  #v8Flags(): string[] {
    const { heapMb, wasmPages } = this.class;
    const heap = `--max-heap-size=${heapMb}`;
    const { boundsMemory } = this.#template.jail;
    return boundsMemory ? [heap] : [heap, `--wasm-max-mem-pages=${wasmPages}`];
  }

  #config(): WorkerdConfig {
    const { worker, domain, documentsKey } = this.#template;
    const cell: CellConfig = {
      id: this.id,
      token: this.token,
      domain,
      documentsKey: toBase64Url(documentsKey),
      fallback: this.#open !== undefined,
    };
    const at = (name: string) => join(this.#folder, name);
    return {
      services: [
        {
          name: "cell",
          worker: {
            modules: [{ name: "cell.js", type: "js", text: worker }],
            compatibilityDate: COMPATIBILITY_DATE,
            compatibilityFlags: COMPATIBILITY_FLAGS,
            bindings: [
              { name: "CELL", json: cell },
              { name: "LOADER", workerLoader: true },
              { name: "HOST", service: { name: "host" } },
              { name: "EGRESS", service: { name: "egress" } },
              ...(this.#open === undefined
                ? []
                : [{ name: "CONTROL", service: { name: "control" } }]),
            ],
          },
        },
        { name: "host", unixSocket: at("host.sock") },
        { name: "egress", unixSocket: at("egress.sock") },
        ...(this.#open === undefined ? [] : [{ name: "control", unixSocket: at("control.sock") }]),
      ],
      sockets: [
        {
          name: "front",
          unixSocket: this.frontSocket,
          forwardedProtoHeader: "x-forwarded-proto",
          service: { name: "cell" },
        },
        {
          name: "admin",
          unixSocket: at("admin.sock"),
          service: { name: "cell", entrypoint: "Admin" },
        },
        ...(this.#open === undefined
          ? []
          : [{ name: "open", unixSocket: undefined, service: { name: "cell" } }]),
      ],
      v8Flags: this.#v8Flags(),
    };
  }
}

/** Where the cell named `id` takes traffic. */
export function frontSocketOf(folder: string, id: string): string {
  return join(folder, id, "front.sock");
}
