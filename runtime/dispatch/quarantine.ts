/** Loads a version that never ran here and tells how that went, before it may get traffic. */
import type { AppDocument, VersionDocument } from "../../core/deployment.ts";
import type { Reason } from "../../core/errors.ts";
import { parseAppName } from "../../core/names.ts";
import { subrequestsMax, timeoutMsDefault } from "../../core/limits.ts";
import type { AppEntry } from "./documents.ts";
import { guestFailure } from "./failure.ts";
import type { Isolates } from "./isolates.ts";

/** A request that the version is tried with. */
export interface TestRequest {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** What a version answered to one {@link TestRequest}. */
export interface TestAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** How loading went. `loadMs` covers fetching, starting and running the modules. */
export type QuarantineResult =
  | { ok: true; loadMs: number; answers: TestAnswer[] }
  | { ok: false; reason: Reason; message: string; stack: string | undefined };

const MESSAGE_LENGTH_MAX = 4 * 1024;
const STACK_LENGTH_MAX = 16 * 1024;
const ANSWER_LENGTH_MAX = 64 * 1024;

/** Loads the version once, calls it with each request, and drops it again. Never throws. */
export async function quarantine(
  isolates: Isolates,
  {
    app,
    version,
    requests = [],
  }: { app: string; version: VersionDocument; requests?: TestRequest[] },
  context: ExecutionContext,
): Promise<QuarantineResult> {
  const isolate = isolates.entry(entryOf(app), version);
  const startedMs = Date.now();
  try {
    const stub = isolates.stub(isolate, context);
    const probed = await stub.getEntrypoint("IgniteControl").fetch("http://ignite/probe");
    const failure = await probed.json<{ message: string; stack?: string } | null>();
    const loadMs = Date.now() - startedMs;
    if (failure !== null) {
      const message = String(failure.message).slice(0, MESSAGE_LENGTH_MAX);
      const stack = failure.stack?.slice(0, STACK_LENGTH_MAX);
      return { ok: false, reason: "LOAD_FAILED", message, stack };
    }
    isolate.subrequests = subrequestsMax;
    const answers: TestAnswer[] = [];
    for (const request of requests) answers.push(await answerTo(request, stub.getEntrypoint()));
    return { ok: true, loadMs, answers };
  } catch (caught) {
    const { reason, message, internal } = guestFailure(caught, isolate);
    return { ok: false, reason, message: internal ?? message, stack: undefined };
  } finally {
    await isolates.evict((loaded) => loaded === isolate, context);
  }
}

async function answerTo(request: TestRequest, target: Fetcher): Promise<TestAnswer> {
  const { method = "GET", path, headers = {}, body } = request;
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  const response = await target.fetch(new URL(path, "http://test.invalid/").href, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: text.slice(0, ANSWER_LENGTH_MAX),
  };
}

/** An app that no document describes yet, with an id that no loaded isolate has. */
function entryOf(key: string): AppEntry {
  const { org, app } = parseAppName(key);
  const document: AppDocument = {
    appId: `quarantine ${key}`,
    org,
    app,
    deleted: false,
    domains: [],
    access: { policy: "public" },
    limits: { memoryMb: 0, cpuMs: 0, timeoutMs: timeoutMsDefault, bodyMb: 0, methods: [] },
    traffic: [],
    sticky: "none",
    schema: {},
    versions: {},
  };
  return { key, document, sequence: 0, ledgerRound: -1 };
}
