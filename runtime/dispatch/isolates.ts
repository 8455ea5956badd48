/**
 * The isolates of a cell: loaded on first use, dropped when idle once there are more than the
 * cell has room for, and when their version no longer gets traffic. An isolate that is dropped
 * finishes what it is doing; the loader gives the next request a fresh one.
 */
import type { VersionDocument } from "../../core/deployment.ts";
import type { Digest } from "../../core/ids.ts";
import { IgniteError } from "../../core/errors.ts";
import { toBase64Url } from "../../core/plane-token.ts";
import { Bundles } from "./artifacts.ts";
import type { AppEntry } from "./documents.ts";
import { workerCodeOf } from "./guest-module.ts";
import type { Capabilities, IsolateProps, Origin } from "./ports.ts";

/** One loaded version. */
export interface Isolate {
  /** Its name in the loader, which no other ever has. */
  readonly id: string;
  /** False once it was dropped. */
  kept: boolean;
  readonly props: IsolateProps;
  readonly version: VersionDocument;
  /** Requests that wait for its answer. */
  running: number;
  usedMs: number;
  /** The most edge hops of a request it served, kept while its outgoing calls may stem from it. */
  hops: number;
  hopsUntilMs: number;
  /** How often it may still call out: each request it serves adds to that. */
  subrequests: number;
  loaded: boolean;
  /** Why its code could not be had. The loader hands on only the text of what is thrown. */
  failure: IgniteError | undefined;
  failedMs: number;
  /** Starts the lines of its log. */
  readonly logToken: string;
}

/** What {@link Isolates} works with. */
export interface IsolatesOptions {
  loader: WorkerLoader;
  origin: Origin;
  capabilities: Capabilities;
  isolatesMax: number;
  /** Called before an isolate starts, so that its log lines can be told apart. */
  declare(line: Readonly<Record<string, unknown>>): void;
}

const RETRY_MS = 500; // Each try leaves an entry in the loader
const LOG_TOKEN_BYTES = 18;
const ISOLATES_MAX_OVER = 8; // Evictions run in groups, off the request path

/** Loads and drops isolates. */
export class Isolates {
  readonly #options: IsolatesOptions;
  readonly #loaded = new Map<string, Isolate>();
  /** The same by the document that asks for them, which spares most requests to make a key. */
  readonly #recent = new WeakMap<VersionDocument, Isolate>();
  readonly #bundles: Bundles;
  #generation = 0;

  constructor(options: IsolatesOptions) {
    this.#options = options;
    this.#bundles = new Bundles(options.origin);
  }

  /** The isolate's entry, made when there is none; it is loaded by the first {@link stub}. */
  entry(app: AppEntry, version: VersionDocument): Isolate {
    const recent = this.#recent.get(version);
    if (recent?.kept === true && recent.failure === undefined) return recent;
    const key = `${app.document.appId}:${version.number}:${version.artifact}`;
    const known = this.#loaded.get(key);
    const isolate = known === undefined || isWornOut(known) ? this.#make(app, version, key) : known;
    this.#recent.set(version, isolate);
    return isolate;
  }

  #make(app: AppEntry, version: VersionDocument, key: string): Isolate {
    this.#generation += 1;
    const isolate: Isolate = {
      id: String(this.#generation), // Short: the loader copies it for each request
      kept: true,
      version,
      props: {
        app: app.key,
        org: app.document.org,
        version: version.number,
        artifact: version.artifact,
        isolate: key,
      },
      running: 0,
      usedMs: 0,
      hops: 0,
      hopsUntilMs: 0,
      subrequests: 0,
      loaded: false,
      failure: undefined,
      failedMs: 0,
      logToken: toBase64Url(crypto.getRandomValues(new Uint8Array(LOG_TOKEN_BYTES))),
    };
    this.#loaded.set(key, isolate);
    return isolate;
  }

  /**
   * The worker behind an entry. Belongs to one request; loading errors appear when it is called.
   */
  stub(isolate: Isolate, context: ExecutionContext): WorkerStub {
    return this.#options.loader.get(isolate.id, () => this.#load(isolate, context));
  }

  /** The entry of that key, while it is loaded. */
  find(key: string): Isolate | undefined {
    return this.#loaded.get(key);
  }

  /** Gets the code of versions that will be called, before they are. */
  prefetch(artifacts: readonly Digest[]): Promise<void> {
    return this.#bundles.prefetch(artifacts);
  }

  /** How many are loaded. */
  get count(): number {
    return this.#loaded.size;
  }

  /** Whether it is time to call {@link trim}. */
  get overfull(): boolean {
    return this.#loaded.size > this.#options.isolatesMax + ISOLATES_MAX_OVER;
  }

  /** Drops the longest unused isolates down to the cell's room. */
  async trim(context: ExecutionContext): Promise<number> {
    const idle = [...this.#loaded.values()]
      .filter((isolate) => isolate.running === 0)
      .sort((a, b) => a.usedMs - b.usedMs);
    const surplus = Math.max(0, this.#loaded.size - this.#options.isolatesMax);
    return this.#drop(idle.slice(0, surplus), context);
  }

  /** Drops all isolates for which `wanted` is true, at once; those that are busy finish first. */
  async evict(wanted: (isolate: Isolate) => boolean, context: ExecutionContext): Promise<number> {
    return this.#drop([...this.#loaded.values()].filter(wanted), context);
  }

  async #drop(isolates: readonly Isolate[], context: ExecutionContext): Promise<number> {
    for (const isolate of isolates) {
      isolate.kept = false;
      this.#loaded.delete(isolate.props.isolate);
    }
    await Promise.all(
      isolates.filter(({ loaded }) => loaded).map((isolate) => this.#abort(isolate, context)),
    );
    return isolates.length;
  }

  /** The second call has no answer: its isolate ends below it, which workerd calls an error. */
  async #abort(isolate: Isolate, context: ExecutionContext): Promise<void> {
    const control = this.stub(isolate, context).getEntrypoint("IgniteControl");
    try {
      await control.fetch("http://ignite/abort");
      await control.fetch("http://ignite/abort");
    } catch {
      // As it should be
    }
  }

  async #load(isolate: Isolate, context: ExecutionContext): Promise<WorkerLoaderWorkerCode> {
    const { props, version, logToken } = isolate;
    const { declare, capabilities } = this.#options;
    try {
      const bundle = await this.#bundles.get(version.artifact);
      const { app, artifact } = props;
      declare({ t: "isolate", key: logToken, app, version: version.number, artifact });
      const code = workerCodeOf(bundle, {
        logToken,
        vars: version.vars,
        outbound: capabilities.egress(context, props),
        assets: () => capabilities.assets(context, props),
      });
      isolate.loaded = true;
      return code;
    } catch (error) {
      isolate.failure = IgniteError.from(error);
      isolate.failedMs = Date.now();
      throw error;
    }
  }
}

/** Whether its code could not be had a while ago, so that it is time to try again. */
function isWornOut({ failure, failedMs }: Isolate): boolean {
  return failure !== undefined && Date.now() - failedMs > RETRY_MS;
}
