/**
 * Which versions get traffic. Each change is one compare-and-set transaction over app, versions and
 * the edge's document; of two callers at the same time one wins and the other is told so.
 */
import { IgniteError } from "../../core/errors.ts";
import type { TrafficShare } from "../../core/deployment.ts";
import type { CallContext } from "../context.ts";
import type { AppChange, AppRow, Ports, VersionRow } from "../ports.ts";
import { type AppReference, advanced, checkEtag, getApp, retryOnRace } from "./apps.ts";
import { type CommitMaker, mutate } from "./commits.ts";
import { announce, appDocument } from "./documents.ts";
import { etagMismatch, failedPrecondition, invalidArgument } from "./failures.ts";
import { quarantine } from "./quarantine.ts";
import { activeVersionOf, type VersionOfApp, versionOf } from "./versions.ts";

/** A request that moves traffic. */
export interface TrafficRequest {
  app: AppReference;
  etag: string;
  idempotencyKey: string;
}

const PUBLISHABLE: ReadonlySet<VersionRow["state"]> = new Set(["ready", "active", "superseded"]);

/**
 * Gives all traffic to a version, 0 meaning the newest READY one, once it loads in quarantine.
 * Fails with VERSION_NOT_READY, LOAD_FAILED (the version is FAILED then) or ETAG_MISMATCH.
 */
export function publishVersion(
  context: CallContext,
  ports: Ports,
  request: TrafficRequest & { version: number; message: string },
): Promise<VersionOfApp> {
  const { idempotencyKey } = request;
  const call = { method: "PublishVersion", idempotencyKey, request };
  return mutate<VersionOfApp>(context, ports, call, async (commit) => {
    const app = await getApp(context, ports, request.app);
    checkEtag("app", app, request.etag);
    const version = await publishable(ports, app, request.version);
    await checkLoads(context, ports, { app, version });
    const message = request.message || undefined;
    const target = { action: "version.publish", version, message };
    return giveAllTraffic(context, ports, app, target, commit);
  });
}

/**
 * Gives all traffic back to a version that had it, 0 meaning the one before the present one.
 * Fails with NO_PREVIOUS_VERSION, VERSION_NOT_READY or ETAG_MISMATCH.
 */
export function rollback(
  context: CallContext,
  ports: Ports,
  request: TrafficRequest & { version: number },
): Promise<VersionOfApp> {
  const call = { method: "Rollback", idempotencyKey: request.idempotencyKey, request };
  return mutate<VersionOfApp>(context, ports, call, async (commit) => {
    const app = await getApp(context, ports, request.app);
    checkEtag("app", app, request.etag);
    const number = request.version || app.previousVersion;
    if (number === undefined) throw noPrevious(app);
    const version = await versionOf(ports, app, number);
    if (version.publishedMs === undefined) throw noPrevious(app, number);
    checkPublishable(app, version);
    return giveAllTraffic(context, ports, app, { action: "version.rollback", version }, commit);
  });
}

/** Splits the traffic. Fails with VERSION_NOT_READY, ETAG_MISMATCH or INVALID_ARGUMENT. */
export function setTraffic(
  context: CallContext,
  ports: Ports,
  request: TrafficRequest & {
    traffic: readonly TrafficShare[];
    sticky?: AppRow["sticky"] | undefined;
  },
): Promise<AppRow> {
  const { idempotencyKey, sticky } = request;
  checkShares(request.traffic);
  const call = { method: "SetTraffic", idempotencyKey, request };
  return mutate<AppRow>(context, ports, call, async (commit) => {
    const app = await getApp(context, ports, request.app);
    checkEtag("app", app, request.etag);
    const traffic = request.traffic.filter(({ weight }) => weight > 0);
    for (const { version: number } of traffic) {
      const version = await versionOf(ports, app, number);
      checkPublishable(app, version);
      await checkLoads(context, ports, { app, version });
    }
    const move = { action: "app.traffic", traffic, sticky: sticky ?? app.sticky };
    return moveTraffic(context, ports, app, move, (to) => commitOf(to, move.action, to, commit));
  });
}

/** A new distribution, and what it is called in the audit trail. */
interface Move {
  action: string;
  traffic: readonly TrafficShare[];
  sticky: AppRow["sticky"];
  message?: string | undefined;
}

type Committer = (app: AppRow) => (document: SealOf) => ReturnType<CommitMaker<never>>;
type SealOf = Parameters<CommitMaker<never>>[2];

async function giveAllTraffic(
  context: CallContext,
  ports: Ports,
  app: AppRow,
  target: { action: string; version: VersionRow; message?: string | undefined },
  commit: CommitMaker<VersionOfApp>,
): Promise<VersionOfApp> {
  const { action, message } = target;
  const traffic = [{ version: target.version.number, weight: 100 }];
  const publishedMs = ports.clock.nowMs();
  const version: VersionRow = {
    ...target.version,
    state: "active",
    publishedMs,
    message: message ?? target.version.message,
  };
  const move = { action, traffic, sticky: app.sticky, message };
  const moved = await moveTraffic(context, ports, app, move, (to) =>
    commitOf(to, action, { app: to, version }, commit),
  );
  return { app: moved, version };
}

function commitOf<Result>(
  app: AppRow,
  action: string,
  result: Result,
  commit: CommitMaker<Result>,
): ReturnType<Committer> {
  const traffic = app.traffic.map(({ version, weight }) => `v${version}=${weight}`).join(" ");
  const resourceName = `${app.org}/${app.name}`;
  const change = { action, resourceId: app.id, resourceName, attributes: { traffic } };
  return (document) => commit(change, result, document);
}

/** Loses only against a change of the app itself, not against a compile that ended meanwhile. */
async function moveTraffic(
  context: CallContext,
  ports: Ports,
  seen: AppRow,
  move: Move,
  committer: Committer,
): Promise<AppRow> {
  return retryOnRace(async () => {
    const old = await getApp(context, ports, { id: seen.id });
    if (old.revision !== seen.revision) throw lostRace();
    const active = activeVersionOf(old);
    const next: AppRow = { ...old, traffic: move.traffic, sticky: move.sticky };
    const isMoved = active !== 0 && active !== activeVersionOf(next);
    const app = advanced(ports, isMoved ? { ...next, previousVersion: active } : next);
    const document = await appDocument(ports, app);
    const { revision, documentRevision } = old;
    const versions = versionChanges(old, move, app.updatedMs);
    const change: AppChange = { app, expected: { revision, documentRevision }, versions };
    await ports.stores.apps.change(change, committer(app)(document.seal));
    await announce(ports, document);
    return app;
  }).catch((caught: unknown) => {
    throw caught instanceof RaceLost ? etagMismatch("app") : caught;
  });
}

/** Ends the retries of {@link retryOnRace}, which only knows ETAG_MISMATCH. */
class RaceLost extends Error {}

function lostRace(): RaceLost {
  return new RaceLost("the app has another revision");
}

function versionChanges(old: AppRow, move: Move, publishedMs: number): AppChange["versions"] {
  const next = new Set(move.traffic.map(({ version }) => version));
  const before = new Set(old.traffic.map(({ version }) => version));
  const leaving = [...before].filter((number) => !next.has(number));
  const message = move.message === undefined ? {} : { message: move.message };
  return [
    ...leaving.map((number) => ({ number, state: "superseded" as const })),
    ...[...next].map((number) => ({ number, state: "active" as const, publishedMs, ...message })),
  ];
}

async function publishable(ports: Ports, app: AppRow, number: number): Promise<VersionRow> {
  const { versions } = ports.stores;
  if (number !== 0) {
    const version = await versionOf(ports, app, number);
    checkPublishable(app, version);
    return version;
  }
  const { items } = await versions.list({ appId: app.id, states: ["ready"] }, { limit: 1 });
  if (items[0] !== undefined) return items[0];
  throw failedPrecondition(
    "VERSION_NOT_READY",
    `${app.org}/${app.name} has no version that is READY and was never published.`,
    "Compile the draft first, or name a version.",
  );
}

function checkPublishable(app: AppRow, { number, state }: VersionRow): void {
  if (PUBLISHABLE.has(state)) return;
  throw failedPrecondition(
    "VERSION_NOT_READY",
    `Version ${number} of ${app.org}/${app.name} is ${state.toUpperCase()}.`,
    state === "failed" ? "Mend the source and compile again." : "Wait until it has compiled.",
  );
}

/** What had traffic has loaded before, in quarantine and in the cells. */
async function checkLoads(
  context: CallContext,
  ports: Ports,
  { app, version }: VersionOfApp,
): Promise<void> {
  if (version.publishedMs !== undefined) return;
  const result = await quarantine(context, ports, { app, version }, []);
  if (result.ok) return;
  const { reason, message, stack } = result;
  throw new IgniteError({
    code: "failed_precondition",
    reason: "LOAD_FAILED",
    message: `Version ${version.number} does not load: ${message}`,
    hint: "The traffic is as it was. Mend the app and deploy it again.",
    details: { stack, reason },
  });
}

function checkShares(traffic: readonly TrafficShare[]): void {
  const sum = traffic.reduce((total, { weight }) => total + weight, 0);
  if (sum !== 100) throw invalidArgument("traffic", `the weights add up to ${sum}, not to 100.`);
  const numbers = new Set(traffic.map(({ version }) => version));
  if (numbers.size !== traffic.length) throw invalidArgument("traffic", "a version stands twice.");
}

function noPrevious(app: AppRow, number?: number): IgniteError {
  const what = number === undefined ? "No version" : `Version ${number}`;
  return failedPrecondition(
    "NO_PREVIOUS_VERSION",
    `${what} of ${app.org}/${app.name} had traffic before.`,
    "Publish a version to give traffic to it for the first time.",
  );
}
