/** RPCs on drafts. */
import { fromJsonString, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type {
  CompileDraftRequest,
  CompileDraftResponseSchema,
  ComputeService,
} from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import type {
  DraftSchema,
  DraftTest,
  DraftTestResultSchema,
} from "../../proto/gen/ignite/v1/draft_pb.ts";
import { AppConfigSchema, CodeSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { CallContext } from "../context.ts";
import { etagOf } from "../operations/apps.ts";
import { type DraftState, getDraft, updateDraft } from "../operations/drafts.ts";
import { EventQueue } from "../operations/event-queue.ts";
import {
  type TestResult,
  testDraft,
  type Trial,
  type TrialResult,
} from "../operations/quarantine.ts";
import { awaitCompile, finishCompile, startCompile } from "../operations/versions.ts";
import type { Ports } from "../ports.ts";
import { callOf } from "./call.ts";
import { appReferenceOf } from "./references.ts";
import { encodeVersion } from "./versions.ts";

type DraftMethods = "getDraft" | "updateDraft" | "compileDraft" | "testDraft";
type CompileMessage = MessageInitShape<typeof CompileDraftResponseSchema>;

/** The part of ComputeService about drafts. */
export function draftMethods(ports: Ports): Pick<ServiceImpl<typeof ComputeService>, DraftMethods> {
  return {
    async getDraft({ app }, context) {
      const state = await getDraft(callOf(context), ports, appReferenceOf(app));
      return { draft: encodeDraft(state) };
    },
    async updateDraft({ code, config, ...request }, context) {
      const app = appReferenceOf(request.app);
      const change = {
        app,
        code,
        config,
        etag: request.etag,
        idempotencyKey: request.idempotencyKey,
      };
      return { draft: encodeDraft(await updateDraft(callOf(context), ports, change)) };
    },
    compileDraft: (request, context) => compile(callOf(context), ports, request),
    async testDraft({ app, version, tests }, context) {
      const trials = tests.map(decodeTrial);
      const request = { app: appReferenceOf(app), version, trials };
      return encodeTestResult(ports, await testDraft(callOf(context), ports, request));
    },
  };
}

/** Streams a compile that the platform carries on with when the caller leaves. */
async function* compile(
  call: CallContext,
  ports: Ports,
  request: CompileDraftRequest,
): AsyncGenerator<CompileMessage> {
  const { etag, message, idempotencyKey } = request;
  const wanted = { app: appReferenceOf(request.app), etag, message, idempotencyKey };
  const { app, version, isNew } = await startCompile(call, ports, wanted);
  const encoded = (row: typeof version): CompileMessage => ({
    event: { case: "version", value: encodeVersion(ports, app, row) },
  });
  if (version.state === "compiling") yield encoded(version);
  if (!isNew) {
    yield encoded(await awaitCompile(call, ports, version));
    return;
  }
  const queue = new EventQueue<CompileMessage>();
  const work = finishCompile(call, ports, { app, version }, (event) => {
    if (event.case !== "result" && event.case !== "failure")
      queue.push({ event } as CompileMessage);
  });
  call.defer(
    work.then(
      (row) => queue.end(encoded(row)),
      (error: unknown) => queue.fail(error),
    ),
  );
  yield* queue;
}

function encodeDraft({ app, draft }: DraftState): MessageInitShape<typeof DraftSchema> {
  return {
    appId: app.id,
    app: `${app.org}/${app.name}`,
    ...(draft.codeJson !== undefined && { code: fromJsonString(CodeSchema, draft.codeJson) }),
    config: fromJsonString(AppConfigSchema, draft.configJson),
    sourceDigest: draft.sourceDigest ?? "",
    etag: etagOf(draft),
    updateTime: timestampFromMs(draft.updatedMs),
    lastVersion: draft.lastVersion,
  };
}

function decodeTrial({ request, expectStatus, expectBody }: DraftTest): Trial {
  const { method = "", path = "", headers = [], body = new Uint8Array() } = request ?? {};
  const text = new TextDecoder().decode(body);
  return {
    request: {
      method: method || (text === "" ? "GET" : "POST"),
      path: path || "/",
      headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
      ...(text !== "" && { body: text }),
    },
    expectStatus,
    expectBody,
  };
}

function encodeTestResult(ports: Ports, { app, version, passed, load, results }: TestResult) {
  return {
    passed,
    version: encodeVersion(ports, app, version),
    ...(load.ok
      ? { loadMs: Math.round(load.loadMs) }
      : { failure: { reason: load.reason, message: load.message, stack: load.stack } }),
    results: results.map(encodeTrialResult),
  };
}

function encodeTrialResult({
  passed,
  answer,
}: TrialResult): MessageInitShape<typeof DraftTestResultSchema> {
  if (answer === undefined) {
    const message = "The version did not answer.";
    return { passed, failure: { reason: "GUEST_ERROR", message } };
  }
  const headers = Object.entries(answer.headers).map(([name, value]) => ({ name, value }));
  const body = new TextEncoder().encode(answer.body);
  return { passed, response: { status: answer.status, headers, body } };
}
