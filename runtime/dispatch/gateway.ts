/**
 * From a request to the isolate that answers it. The common case touches neither request nor
 * response: it parses the host, checks access and limits, picks a version, notes the call and
 * hands both objects through. Everything else costs only those who ask for it.
 */
import type { AppDocument } from "../../core/deployment.ts";
import { httpStatusOf, IgniteError, type Reason } from "../../core/errors.ts";
import { subrequestsMax, subrequestsSavedMax } from "../../core/limits.ts";
import { targetOfPath } from "../../core/names.ts";
import type { ChannelKey } from "../../core/plane-token.ts";
import { Access, type FetchKeySet, withoutPlatformKey } from "./access.ts";
import { type Choice, chooseVersion, stickyCookie } from "./choice.ts";
import { type AppEntry, Documents } from "./documents.ts";
import { guestFailure } from "./failure.ts";
import { type Isolate, Isolates } from "./isolates.ts";
import { checkHops, checkMethod, limitBody, statusOf, subrequestsExceeded } from "./limits.ts";
import type { Capabilities, Origin } from "./ports.ts";
import { appNotFound, problemResponse } from "./problem.ts";
import { type Invocation, pathOf, Records } from "./records.ts";
import { checkInput, checkOutput } from "./schema.ts";
import { Timing } from "./timing.ts";

/** What a gateway is made from. */
export interface GatewayOptions {
  /** The domain under which apps have hosts, without port. */
  domain: string;
  documentsKey: Promise<ChannelKey>;
  /** Starts the lines of ours on stdout. */
  token: string;
  loader: WorkerLoader;
  origin: Origin;
  capabilities: Capabilities;
  fetchKeySet: FetchKeySet;
  isolatesMax: number;
}

/** An address that leads to an app. */
interface Located {
  app: AppEntry;
  version: number | undefined;
  /** The Host header as it came. */
  host: string;
  /** What the app sees: the request itself, or a rewritten one in the path form. */
  request: Request;
  /** `/@org/app` in the path form, else empty. */
  prefix: string;
}

/** What comes with a request. */
interface Call {
  requestId: string;
  context: ExecutionContext;
  timing: Timing | undefined;
}

/** Told to the app's own log, not to the platform's. */
const OF_GUEST: ReadonlySet<Reason> = new Set(["GUEST_ERROR", "LOAD_FAILED"]);
const REQUEST_ID_LENGTH = 26; // The front appends the name of the cell
const HOP_MEMORY_MS = 30_000; // As long as waitUntil work may call out
const UNKNOWN_TTL_MS = 1_000;
const UNKNOWN_MAX = 4_096;

/** Makes a gateway. One per isolate, since its state is the isolate's memory. */
export function createGateway(options: GatewayOptions): Gateway {
  return new Gateway(options);
}

/** Answers requests to apps. */
export class Gateway {
  readonly documents: Documents;
  readonly isolates: Isolates;
  readonly records: Records;
  readonly #options: GatewayOptions;
  readonly #access: Access;
  /** Addresses that nobody knew a moment ago. */
  readonly #unknown = new Map<string, number>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.documents = new Documents(options.documentsKey, options.domain);
    this.records = new Records(options.token);
    this.isolates = new Isolates({
      ...options,
      declare: (line) => this.records.declare(line),
    });
    this.#access = new Access(this.documents, options.fetchKeySet);
  }

  /**
   * Answers a request whose `ignite-*` headers can be trusted. Never throws. Not asynchronous
   * itself, as little on the way of a warm request is: each step costs it about a microsecond.
   */
  fetch(request: Request, context: ExecutionContext): Promise<Response> {
    const requestId = (request.headers.get("ignite-request-id") ?? "").slice(0, REQUEST_ID_LENGTH);
    const timing = request.headers.has("ignite-timing") ? new Timing() : undefined;
    const call: Call = { requestId, context, timing };
    try {
      const located = this.#recall(request);
      const pending = located && this.#access.check(located.app, request);
      if (located === undefined || pending !== undefined) {
        return this.#fetchLater(request, call, located, pending);
      }
      return this.#invoke(located, call).catch((caught) => this.#problem(caught, requestId));
    } catch (caught) {
      return Promise.resolve(this.#problem(caught, requestId));
    }
  }

  /** For an address that is not known yet, or a caller whose key is not. */
  async #fetchLater(
    request: Request,
    call: Call,
    recalled: Located | undefined,
    pending: Promise<void> | undefined,
  ): Promise<Response> {
    try {
      const located = recalled ?? (await this.#locate(request));
      if (located instanceof Response) return located;
      await (pending ?? this.#access.check(located.app, request));
      return await this.#invoke(located, call);
    } catch (caught) {
      return this.#problem(caught, call.requestId);
    }
  }

  #problem(caught: unknown, requestId: string): Response {
    const error = IgniteError.from(caught);
    if (error.internal !== undefined && !OF_GUEST.has(error.reason)) this.#report(requestId, error);
    return problemResponse(error, requestId, statusOf(error), headersOf(error));
  }

  /**
   * Notes that an isolate calls out. Answers how many edge hops lead to what it calls; fails with
   * SUBREQUESTS_EXCEEDED.
   */
  callOut(isolate: string): number {
    const found = this.isolates.find(isolate);
    if (found === undefined) return 0;
    if (found.subrequests <= 0) throw subrequestsExceeded();
    found.subrequests -= 1;
    return found.hopsUntilMs < Date.now() ? 0 : found.hops;
  }

  /** Drops the isolates of versions that a new document no longer sends traffic to. */
  async retire(apps: readonly AppEntry[], context: ExecutionContext): Promise<void> {
    const served = new Map(apps.map(({ key, document }) => [key, versionsOf(document)]));
    await this.isolates.evict(({ props, running }) => {
      const versions = served.get(props.app);
      return versions !== undefined && running === 0 && !versions.has(props.version);
    }, context);
  }

  /** Gets the code of what has traffic now, so that no caller waits for it. */
  async prefetch(apps: readonly AppEntry[]): Promise<void> {
    const artifacts = apps.flatMap(({ document }) =>
      document.traffic.flatMap(({ version }) => document.versions[version]?.artifact ?? []),
    );
    await this.isolates.prefetch([...new Set(artifacts)]);
  }

  /** The app of an address that was seen before, at the cost of a look-up. */
  #recall(request: Request): Located | undefined {
    const host = request.headers.get("host") ?? "";
    const route = this.documents.recallHost(host);
    return route && { app: route.app, version: route.version, host, request, prefix: "" };
  }

  async #locate(request: Request): Promise<Located | Response> {
    const host = request.headers.get("host") ?? "";
    const route = this.documents.findByHost(host);
    if ("app" in route) return { ...route, host, request, prefix: "" };
    if (route.key !== undefined) {
      await this.#learn({ name: route.key });
    } else {
      const byPath = await this.#locateByPath(request, host);
      if (byPath !== undefined) return byPath;
      await this.#learn({ host: route.unknown });
    }
    const again = this.documents.findByHost(host);
    if ("app" in again) return { ...again, host, request, prefix: "" };
    throw appNotFound("No app answers at this host.");
  }

  async #locateByPath(request: Request, host: string): Promise<Located | Response | undefined> {
    const start = request.url.indexOf(host, 7) + host.length;
    const target = request.url.slice(start);
    const found = targetOfPath(target);
    if (found === undefined) return undefined;
    const { org, app } = found.target;
    const key = `${org}/${app}`;
    if (this.documents.findApp(key) === undefined) await this.#learn({ name: key });
    const entry = this.documents.findApp(key);
    if (entry === undefined) throw appNotFound("No app answers at this path.");
    const prefix = `/@${key}`;
    if (!target.startsWith(`${prefix}/`) && mayRedirect(request)) {
      return new Response(null, { status: 308, headers: { location: prefix + found.rest } });
    }
    const rewritten = new Request(request.url.slice(0, start) + found.rest, request);
    rewritten.headers.set("x-forwarded-prefix", prefix);
    return { app: entry, version: undefined, host, request: rewritten, prefix };
  }

  /** Asks the host for documents that were not pushed here, at most once a second per address. */
  async #learn(query: { name: string } | { host: string }): Promise<void> {
    const address = JSON.stringify(query);
    const now = Date.now();
    if ((this.#unknown.get(address) ?? 0) > now) return;
    const documents = await this.#options.origin.findApp(query);
    if (documents.length > 0) {
      await this.documents.apply(documents);
      return;
    }
    if (this.#unknown.size >= UNKNOWN_MAX) this.#unknown.clear();
    this.#unknown.set(address, now + UNKNOWN_TTL_MS);
  }

  #invoke(located: Located, { requestId, context, timing }: Call): Promise<Response> {
    timing?.mark("route");
    const { app } = located;
    const request = withoutPlatformKey(located.request);
    const { method } = request;
    checkMethod(app, method);
    const hopsHeader = request.headers.get("ignite-hops");
    const hops = hopsHeader === null ? 0 : checkHops(hopsHeader);
    const choice = this.#choose(located);
    const isolate = this.isolates.entry(app, choice.version);
    const invocation: Invocation = {
      requestId,
      app,
      isolate,
      version: choice.version.number,
      method,
      path: pathOf(request.url, located.host),
      startedMs: Date.now(),
      cold: !isolate.loaded,
      expire: undefined,
      toldMs: 0,
    };
    if (hops > 0) rememberHops(isolate, hops, invocation.startedMs);
    isolate.subrequests = Math.min(isolate.subrequests + subrequestsMax, subrequestsSavedMax);
    const answer = this.#run(invocation, () => this.#answer(invocation, request, context));
    if (invocation.cold && this.isolates.overfull) context.waitUntil(this.isolates.trim(context));
    if (choice.newBucket === undefined && timing === undefined) return answer;
    return answer.then((response) => {
      timing?.mark(invocation.cold ? "start" : "guest");
      const placed = placedIn(choice.newBucket, located.prefix, response);
      return timing?.stamp(placed, invocation.version) ?? placed;
    });
  }

  #choose({ app, version, request }: Located): Choice {
    const { document } = app;
    if (version === undefined) {
      const choice = chooseVersion(document, request);
      if (choice === undefined) throw appNotFound("The app has no published version.");
      return choice;
    }
    const preview = document.versions[version];
    if (preview === undefined) throw appNotFound(`The app has no version v${version}.`);
    return { version: preview, newBucket: undefined };
  }

  /** Has the app answer within its time, and notes how it went. */
  #run(invocation: Invocation, answer: () => Promise<Response>): Promise<Response> {
    const { records } = this;
    records.begin(invocation);
    return new Promise((resolve, reject) => {
      const fail = (caught: unknown) => {
        const error = guestFailure(caught, invocation.isolate, `exe_${invocation.requestId}`);
        const { reason } = error;
        const outcome = reason === "GUEST_TIMED_OUT" ? "timed_out" : "failed";
        const status = statusOf(error) ?? httpStatusOf(error.code);
        records.end(invocation, status, { outcome, reason });
        reject(error); // Not the answer yet: a ping may be what runs this, in its own context
      };
      invocation.expire = fail;
      try {
        answer().then((response) => {
          records.end(invocation, response.status, undefined);
          resolve(response);
        }, fail);
      } catch (caught) {
        fail(caught);
      }
    });
  }

  /** The isolate's answer. Checks of bodies are the app's too: a schema may loop as code may. */
  #answer(invocation: Invocation, received: Request, context: ExecutionContext): Promise<Response> {
    const { app, isolate } = invocation;
    const request = limitBody(received, invocation);
    const target = this.isolates.stub(isolate, context).getEntrypoint();
    const call = (checked: Request) =>
      target.fetch(checked as never) as unknown as Promise<Response>;
    const { input, output } = app.document.schema;
    if (input === undefined && output === undefined) return call(request);
    return callChecked(app, request, call);
  }

  /** What only the platform's log may see. */
  #report(requestId: string, error: IgniteError): void {
    this.records.declare({ t: "error", id: requestId, reason: error.reason, m: error.internal });
  }
}

async function callChecked(
  app: AppEntry,
  request: Request,
  call: (request: Request) => Promise<Response>,
): Promise<Response> {
  const { input, output } = app.document.schema;
  const response = await call(input === undefined ? request : await checkInput(app, request));
  return output === undefined ? response : checkOutput(app, response);
}

/** Keeps a caller of a split who asked for that with one version. */
function placedIn(bucket: number | undefined, prefix: string, response: Response): Response {
  if (bucket === undefined) return response;
  const placed = new Response(response.body, response);
  placed.headers.append("set-cookie", stickyCookie(bucket, prefix || "/"));
  return placed;
}

/**
 * Whether `/@org/app` sends its caller to `/@org/app/`, where relative links are below the app.
 * That matters to who reads pages; programs may follow no redirect.
 */
function mayRedirect({ method, headers }: Request): boolean {
  const readsPages = headers.get("accept")?.includes("text/html") ?? false;
  return readsPages && (method === "GET" || method === "HEAD");
}

function rememberHops(isolate: Isolate, hops: number, nowMs: number): void {
  if (hops >= isolate.hops || isolate.hopsUntilMs < nowMs) isolate.hops = hops;
  isolate.hopsUntilMs = nowMs + HOP_MEMORY_MS;
}

function headersOf(error: IgniteError): Record<string, string> {
  if (error.reason === "METHOD_NOT_ALLOWED") return { allow: error.details["allow"] ?? "" };
  if (error.code === "unauthenticated") return { "www-authenticate": "Bearer" };
  if (error.code === "unavailable") return { "retry-after": "1" };
  return {};
}

function versionsOf(document: AppDocument): ReadonlySet<number> {
  if (document.deleted) return new Set();
  return new Set(document.traffic.map(({ version }) => version));
}
