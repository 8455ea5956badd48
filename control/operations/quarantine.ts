/** Runs versions away from traffic: before they are published, and to test a draft. */
import { fromJsonString } from "@bufbuild/protobuf";
import { assert } from "../../core/assert.ts";
import { AppConfigSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { CallContext } from "../context.ts";
import type { Ports, QuarantineAnswer, QuarantineRequest, QuarantineResult } from "../ports.ts";
import { type AppReference, getApp, retryOnRace } from "./apps.ts";
import { mutate } from "./commits.ts";
import { announce, appDocument } from "./documents.ts";
import { failedPrecondition } from "./failures.ts";
import { failureJson, type VersionOfApp, versionOf } from "./versions.ts";

/** A request, and what its response must be. */
export interface Trial {
  request: QuarantineRequest;
  /** 0 means any below 500. */
  expectStatus: number;
  /** Empty means any. */
  expectBody: string;
}

/** What came of one trial. */
export interface TrialResult {
  passed: boolean;
  answer: QuarantineAnswer | undefined;
}

/** What came of all. `results` is empty when the version does not load. */
export interface TestResult extends VersionOfApp {
  passed: boolean;
  load: QuarantineResult;
  results: readonly TrialResult[];
}

/**
 * Loads a version in quarantine and sends it requests. One that does not load becomes FAILED, if
 * it was READY. Fails with EDGE_UNAVAILABLE.
 */
export async function quarantine(
  context: CallContext,
  ports: Ports,
  { app, version }: VersionOfApp,
  requests: readonly QuarantineRequest[],
): Promise<QuarantineResult> {
  const { artifactDigest: artifact, id: versionId, number } = version;
  assert(artifact !== undefined, `version ${versionId} has an artifact`);
  const { vars } = fromJsonString(AppConfigSchema, version.configJson);
  const result = await ports.edge.quarantine({
    app: `${app.org}/${app.name}`,
    version: { versionId, number, artifact, vars },
    requests,
  });
  if (!result.ok && result.reason === "LOAD_FAILED" && version.state === "ready") {
    const { reason, message, stack } = result;
    await markFailed(context, ports, { app, version }, failureJson({ reason, message, stack }));
  }
  return result;
}

/** A version that throws while it loads never gets traffic and is no preview any more. */
function markFailed(
  context: CallContext,
  ports: Ports,
  { app, version }: VersionOfApp,
  failure: string,
): Promise<void> {
  const call = { method: "", idempotencyKey: "", request: {} };
  return mutate<void>(context, ports, call, (commit) =>
    retryOnRace(async () => {
      const old = await getApp(context, ports, { id: app.id });
      const { revision, documentRevision } = old;
      const next = { ...old, documentRevision: documentRevision + 1 };
      const { number } = version;
      const document = await appDocument(ports, next, { removed: number });
      const resourceName = `${app.org}/${app.name}`;
      const change = { action: "version.failed", resourceId: version.id, resourceName };
      const versions = [{ number, state: "failed" as const, failureJson: failure }];
      const written = { app: next, expected: { revision, documentRevision }, versions };
      await ports.stores.apps.change(written, commit(change, undefined, document.seal));
      await announce(ports, document);
    }),
  );
}

/**
 * Tries a version, 0 meaning the newest that compiled; its traffic stays as it is. Fails with
 * VERSION_NOT_READY when there is none, with EDGE_UNAVAILABLE when it cannot be run.
 */
export async function testDraft(
  context: CallContext,
  ports: Ports,
  request: { app: AppReference; version: number; trials: readonly Trial[] },
): Promise<TestResult> {
  const { trials } = request;
  const app = await getApp(context, ports, request.app);
  const version =
    request.version === 0
      ? await ports.stores.versions.listReachable(app.id, 1, []).then(([newest]) => newest)
      : await versionOf(ports, app, request.version);
  if (version?.artifactDigest === undefined) {
    throw failedPrecondition(
      "VERSION_NOT_READY",
      `${app.org}/${app.name} has no such version that has compiled.`,
      "Compile the draft first.",
    );
  }
  const load = await quarantine(
    context,
    ports,
    { app, version },
    trials.map((trial) => trial.request),
  );
  const answers = load.ok ? load.answers : [];
  const results = load.ok ? trials.map((trial, at) => judge(trial, answers[at])) : [];
  const passed = load.ok && results.every((result) => result.passed);
  const latest = load.ok ? version : await versionOf(ports, app, version.number);
  return { app, version: latest, passed, load, results };
}

function judge(trial: Trial, answer: QuarantineAnswer | undefined): TrialResult {
  if (answer === undefined) return { passed: false, answer };
  const { expectStatus, expectBody } = trial;
  const isStatusRight = expectStatus === 0 ? answer.status < 500 : answer.status === expectStatus;
  return { passed: isStatusRight && answer.body.includes(expectBody), answer };
}
