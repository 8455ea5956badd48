/**
 * Versions, from the draft to READY or FAILED. A compile belongs to the platform once it began: it
 * goes on when its caller leaves, and tasks/compiles.ts ends those whose process died.
 */
import { create, fromJsonString, type JsonValue, toJson, toJsonString } from "@bufbuild/protobuf";
import { assert } from "../../core/assert.ts";
import { IgniteError } from "../../core/errors.ts";
import { isDigest, type VersionId } from "../../core/ids.ts";
import { compileTimeoutMs, diagnosticsMax } from "../../core/limits.ts";
import {
  type Diagnostic,
  DiagnosticSchema,
  type Failure,
  FailureSchema,
} from "../../proto/gen/ignite/v1/compile_pb.ts";
import {
  AppConfigSchema,
  type CompileCode,
  CodeSchema,
} from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import {
  type CompileResponse,
  type CompileResult,
} from "../../proto/gen/ignite/v1/region_service_pb.ts";
import type { CallContext } from "../context.ts";
import type { AppRow, CompileOutcome, Ports, VersionRow, VersionState } from "../ports.ts";
import { type AppReference, checkEtag, findAnyApp, getApp, retryOnRace } from "./apps.ts";
import { mutate, platformCommit } from "./commits.ts";
import { announce, appDocument } from "./documents.ts";
import { type DraftState, getDraft } from "./drafts.ts";
import { failedPrecondition, notFound } from "./failures.ts";
import { digestOf } from "./hash.ts";
import { type PageRequest, readPage, type TokenPage } from "./pages.ts";
import { checkStorageQuota, makeRoomForVersion } from "./quota.ts";

/** A version with its app. */
export interface VersionOfApp {
  app: AppRow;
  version: VersionRow;
}

/** What a caller sees of a compile that goes on. */
export type CompileEvent = CompileResponse["event"];

const COMPILE_POLL_MS = 200; // Short against a compile, long against a query

/** Reads a version; 0 means the active one. Fails with NOT_FOUND. */
export async function getVersion(
  context: CallContext,
  ports: Ports,
  request: { app: AppReference; version: number },
): Promise<VersionOfApp> {
  const app = await getApp(context, ports, request.app);
  return { app, version: await versionOf(ports, app, request.version || activeVersionOf(app)) };
}

/** Reads a version of an app by its number. Fails with NOT_FOUND. */
export async function versionOf(ports: Ports, app: AppRow, number: number): Promise<VersionRow> {
  const version = number === 0 ? undefined : await ports.stores.versions.get(app.id, number);
  if (version !== undefined) return version;
  const which = number === 0 ? "active version" : `version ${number}`;
  throw notFound(
    `${which} of ${app.org}/${app.name}`,
    `\`ignite versions ${app.org}/${app.name}\` lists them.`,
  );
}

/** Lists versions, newest first; no states means all. */
export async function listVersions(
  context: CallContext,
  ports: Ports,
  request: PageRequest & { app: AppReference; states: readonly VersionState[] },
): Promise<TokenPage<VersionRow> & { app: AppRow }> {
  const app = await getApp(context, ports, request.app);
  const filter = { appId: app.id, states: request.states };
  const { versions } = ports.stores;
  const page = await readPage(ports, ["versions", filter], request, (part) =>
    versions.list(filter, part),
  );
  return { ...page, app };
}

/** The version that has most of the traffic, 0 when none has. */
export function activeVersionOf(app: AppRow): number {
  return app.traffic.toSorted((a, b) => b.weight - a.weight)[0]?.version ?? 0;
}

/**
 * Makes a version from the draft, or finds the one that equal code and configuration gave before.
 * One that is COMPILING must be given to {@link finishCompile}. Fails with DRAFT_EMPTY or
 * QUOTA_EXCEEDED.
 */
export async function startCompile(
  context: CallContext,
  ports: Ports,
  request: { app: AppReference; etag: string; message: string; idempotencyKey: string },
): Promise<VersionOfApp & { isNew: boolean }> {
  const state = await getDraft(context, ports, request.app);
  const call = { method: "CompileDraft", idempotencyKey: request.idempotencyKey, request };
  let isNew = false;
  const { id } = await mutate<{ id: VersionId }>(context, ports, call, async (commit) => {
    checkEtag("draft", state.draft, request.etag);
    const inputDigest = await digestOf([codeOf(state), JSON.parse(state.draft.configJson)]);
    const equal = await ports.stores.versions.findCompiled(state.app.id, inputDigest);
    if (equal !== undefined) return { id: equal.id };
    await makeRoomForVersion(ports, state.app);
    await checkStorageQuota(ports, state.app.org, 0);
    const version = newVersion(context, ports, state, { inputDigest, message: request.message });
    const resourceName = `${state.app.org}/${state.app.name}`;
    const change = { action: "version.compile", resourceId: version.id, resourceName };
    await ports.stores.versions.create(version, commit(change, { id: version.id }));
    isNew = true;
    return { id: version.id };
  });
  const version = await ports.stores.versions.getById(id);
  assert(version !== undefined, `version ${id} exists`);
  return { app: state.app, version, isNew };
}

/**
 * Compiles a version in a region and stores what came of it; never fails, but answers a version
 * that is FAILED. `onEvent` gets what the compiler says.
 */
export async function finishCompile(
  context: CallContext,
  ports: Ports,
  { app, version }: VersionOfApp,
  onEvent: (event: CompileEvent) => void,
): Promise<VersionRow> {
  const diagnostics: Diagnostic[] = [];
  const result = await compileInRegion(ports, app, version, (event) => {
    if (event.case === "diagnostic" && diagnostics.length < diagnosticsMax) {
      diagnostics.push(event.value);
    }
    onEvent(event);
  });
  const outcome = outcomeOf(result, diagnostics, ports.clock.nowMs());
  const finished: VersionRow = { ...version, ...outcome };
  await retryOnRace(async () => {
    const latest = await findAnyApp(context, ports, { id: app.id });
    const added = outcome.state === "ready" ? { added: finished } : {};
    const document = await appDocument(ports, latest, added);
    const change = {
      action: `version.${outcome.state}`,
      resourceId: version.id,
      resourceName: `${app.org}/${app.name}`,
    };
    const commit = platformCommit(ports, app.org, change, document.seal);
    const { versions } = ports.stores;
    const isDone = await versions.finish(version.id, outcome, latest.documentRevision, commit);
    if (isDone && outcome.state === "ready") await announce(ports, document);
  });
  return (await ports.stores.versions.getById(version.id)) ?? finished;
}

/** Makes the `Failure` that is kept with a version. */
export function failureJson(failure: { reason: string; message: string; stack?: string }): string {
  return toJsonString(FailureSchema, create(FailureSchema, failure));
}

function codeOf({ draft }: DraftState): JsonValue {
  if (draft.codeJson !== undefined) return JSON.parse(draft.codeJson) as JsonValue;
  throw failedPrecondition(
    "DRAFT_EMPTY",
    "The draft has no code yet.",
    "Upload the source and name it with UpdateDraft, or use `ignite deploy`.",
  );
}

function newVersion(
  { principal }: CallContext,
  ports: Ports,
  { app, draft }: DraftState,
  facts: { inputDigest: string; message: string },
): VersionRow {
  return {
    id: ports.ids.next("version"),
    appId: app.id,
    number: app.latestVersion + 1,
    state: "compiling",
    codeJson: draft.codeJson ?? "",
    configJson: draft.configJson,
    sourceDigest: draft.sourceDigest,
    sizeBytes: 0,
    assetCount: 0,
    moduleCount: 0,
    diagnosticsJson: "[]",
    createdMs: ports.clock.nowMs(),
    createdBy: principal.keyId,
    ...facts,
  };
}

type RegionResult =
  | { result: CompileResult }
  | { failure: Pick<Failure, "reason" | "message" | "stack"> };

async function compileInRegion(
  ports: Ports,
  app: AppRow,
  version: VersionRow,
  onEvent: (event: CompileEvent) => void,
): Promise<RegionResult> {
  try {
    const code = compileCodeOf(version);
    const organization = await ports.stores.organizations.find(app.org);
    assert(organization !== undefined, `organization ${app.org} exists`);
    const config = fromJsonString(AppConfigSchema, version.configJson);
    const responses = ports.region.compile({
      versionId: version.id,
      organizationId: organization.id,
      app: `${app.org}/${app.name}`,
      code,
      timeoutMs: compileTimeoutMs,
      ...(config.build !== undefined && { build: config.build }),
    });
    for await (const { event } of responses) {
      if (event.case === "result") return { result: event.value };
      if (event.case === "failure") return { failure: event.value };
      onEvent(event);
    }
    throw regionLost();
  } catch (caught) {
    const error = IgniteError.from(caught);
    if (error.internal !== undefined) {
      ports.log.error("a compile broke off", { version: version.id, error: error.internal });
    }
    return { failure: { reason: error.reason, message: error.message, stack: "" } as Failure };
  }
}

function compileCodeOf(version: VersionRow): CompileCode {
  const { kind } = fromJsonString(CodeSchema, version.codeJson);
  if (kind.case === "compile") return kind.value;
  throw new IgniteError({
    code: "unimplemented",
    reason: "NOT_IMPLEMENTED",
    message: "Images are not part of this release; bring source of a Deno app.",
  });
}

function outcomeOf(
  result: RegionResult,
  diagnostics: readonly Diagnostic[],
  compiledMs: number,
): CompileOutcome {
  const listed = diagnostics.map((diagnostic) => toJson(DiagnosticSchema, diagnostic));
  const common = { diagnosticsJson: JSON.stringify(listed), compiledMs };
  if ("failure" in result) {
    const { reason, message, stack } = result.failure;
    const empty = { sizeBytes: 0, assetCount: 0, moduleCount: 0 };
    return {
      ...common,
      ...empty,
      state: "failed",
      failureJson: failureJson({ reason, message, stack }),
    };
  }
  const { artifactDigest, sizeBytes, assetCount, moduleCount } = result.result;
  assert(isDigest(artifactDigest), "the region answers a digest");
  const counts = { sizeBytes: Number(sizeBytes), assetCount, moduleCount };
  return { ...common, ...counts, state: "ready", artifactDigest };
}

function regionLost(): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason: "REGION_UNAVAILABLE",
    message: "The region ended the compile without a result.",
    hint: "Compile again.",
  });
}

/**
 * Waits until a version that somebody else compiles is READY or FAILED, or the caller leaves.
 * Answers its last known state.
 */
export async function awaitCompile(
  { signal }: CallContext,
  ports: Ports,
  version: VersionRow,
): Promise<VersionRow> {
  let latest: VersionRow | undefined = version;
  while (latest?.state === "compiling" && !signal.aborted) {
    await ports.sleep(COMPILE_POLL_MS, signal);
    latest = await ports.stores.versions.getById(version.id);
  }
  return latest ?? version;
}
