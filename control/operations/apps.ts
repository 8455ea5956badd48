/** Apps: names, access and domains. Versions and traffic are in versions.ts and publishing.ts. */
import { toJsonString } from "@bufbuild/protobuf";
import { IgniteError } from "../../core/errors.ts";
import { type AppId, isId } from "../../core/ids.ts";
import { deletedAppTtlMs } from "../../core/limits.ts";
import {
  fitsHost,
  hostLabelOf,
  isAppName,
  isReservedHost,
  parseAppName,
} from "../../core/names.ts";
import {
  type Access,
  AccessPolicy,
  AccessSchema,
} from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { CallContext } from "../context.ts";
import type { AppRow, DraftRow, Ports } from "../ports.ts";
import { checkOrganization } from "./authentication.ts";
import { mutate } from "./commits.ts";
import { announce, appDocument } from "./documents.ts";
import { etagMismatch, invalidArgument, isEtagMismatch, notFound } from "./failures.ts";
import { type PageRequest, readPage, type TokenPage } from "./pages.ts";
import { checkAppQuota } from "./quota.ts";

/** How a caller names an app. */
export type AppReference = { id: string } | { name: string };

/** What a caller may set on an app; absent fields keep what is there. */
export interface AppSettings {
  description?: string | undefined;
  /** Without a policy it takes what each version says. */
  access?: Access | undefined;
  domains?: readonly string[] | undefined;
}

const ATTEMPTS_MAX = 5; // Each lost race means that somebody else got on

/** The etag of a revision. */
export function etagOf(row: { revision: number }): string {
  return `r${row.revision}`;
}

/** Fails with ETAG_MISMATCH when the caller read another state; an empty etag fits any. */
export function checkEtag(what: string, row: { revision: number }, etag: string): void {
  if (etag !== "" && etag !== etagOf(row)) throw etagMismatch(what);
}

/** Reads an app the caller may see, deleted or not. Fails with NOT_FOUND. */
export async function findAnyApp(
  { principal }: CallContext,
  ports: Ports,
  reference: AppReference,
): Promise<AppRow> {
  const app = await ports.stores.apps.find(queryOf(reference));
  const isInScope =
    app !== undefined &&
    app.org === principal.org &&
    (principal.apps.length === 0 || principal.apps.includes(app.name));
  if (isInScope) return app;
  const shown = "id" in reference ? reference.id : reference.name;
  throw notFound(
    `app "${shown}"`,
    `The key sees apps of the organization "${principal.org}"; \`ignite apps\` lists them.`,
  );
}

/** Reads an app that is not deleted. Fails with NOT_FOUND. */
export async function getApp(
  context: CallContext,
  ports: Ports,
  reference: AppReference,
): Promise<AppRow> {
  const app = await findAnyApp(context, ports, reference);
  if (app.deletedMs === undefined) return app;
  throw notFound(`app "${app.org}/${app.name}"`, restoreHint(app));
}

/** Lists apps by name. */
export function listApps(
  { principal }: CallContext,
  ports: Ports,
  request: PageRequest & { organization: string; includeDeleted: boolean },
): Promise<TokenPage<AppRow>> {
  const org = checkOrganization(principal, request.organization);
  const filter = { org, includeDeleted: request.includeDeleted, names: principal.apps };
  return readPage(ports, ["apps", filter], request, (page) => ports.stores.apps.list(filter, page));
}

/** Creates an app without code. Fails with APP_EXISTS, DOMAIN_TAKEN or QUOTA_EXCEEDED. */
export async function createApp(
  context: CallContext,
  ports: Ports,
  request: AppSettings & { organization: string; name: string; idempotencyKey: string },
): Promise<AppRow> {
  const { principal } = context;
  const org = checkOrganization(principal, request.organization);
  const { name } = request;
  if (!isAppName(name)) throw invalidArgument("name", "it is not a valid name of an app.");
  if (!fitsHost({ org, app: name })) {
    throw invalidArgument("name", "with its organization's it has more than 52 characters.");
  }
  if (principal.apps.length > 0 && !principal.apps.includes(name)) throw outOfScope(name);
  checkDomains(ports, request.domains);
  const call = { method: "CreateApp", idempotencyKey: request.idempotencyKey, request };
  return mutate<AppRow>(context, ports, call, async (commit) => {
    await checkNameIsFree(ports, org, name);
    await checkAppQuota(ports, org);
    const app = newApp(ports, org, name, request);
    const draft: DraftRow = {
      appId: app.id,
      configJson: "{}",
      revision: 1,
      updatedMs: app.createdMs,
      lastVersion: 0,
    };
    const document = await appDocument(ports, app);
    const change = { action: "app.create", resourceId: app.id, resourceName: `${org}/${name}` };
    await ports.stores.apps.create(app, draft, commit(change, app, document.seal));
    await announce(ports, document);
    return app;
  });
}

/**
 * Changes settings; a deleted app comes back. Fails with ETAG_MISMATCH, DOMAIN_TAKEN, or
 * QUOTA_EXCEEDED.
 */
export function updateApp(
  context: CallContext,
  ports: Ports,
  request: AppSettings & { app: AppReference; etag: string; idempotencyKey: string },
): Promise<AppRow> {
  return changeApp(
    context,
    ports,
    { method: "UpdateApp", action: "app.update", request },
    (app) => {
      checkDomains(ports, request.domains);
      return {
        ...app,
        description: request.description ?? app.description,
        accessJson: request.access === undefined ? app.accessJson : accessJsonOf(request.access),
        domains: request.domains ?? app.domains,
        deletedMs: undefined,
      };
    },
  );
}

/** Deletes an app: its URLs stop at once, its data is kept for `deletedAppTtlMs`. */
export function deleteApp(
  context: CallContext,
  ports: Ports,
  request: { app: AppReference; etag: string; idempotencyKey: string },
): Promise<AppRow> {
  return changeApp(
    context,
    ports,
    { method: "DeleteApp", action: "app.delete", request },
    (app) => ({
      ...app,
      deletedMs: app.deletedMs ?? ports.clock.nowMs(),
    }),
  );
}

/** Repeats `attempt` while it loses against changes that do not concern the caller. */
export async function retryOnRace<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (caught) {
      if (!isEtagMismatch(caught) || count >= ATTEMPTS_MAX) throw caught;
    }
  }
}

/** The addresses that invoke an app, the main one first. */
export function urlsOf(ports: Ports, app: AppRow): string[] {
  const { protocol } = new URL(ports.publicUrl);
  return [
    `${protocol}//${hostLabelOf({ org: app.org, app: app.name })}.${ports.domain}/`,
    `${ports.publicUrl}/@${app.org}/${app.name}/`,
    ...app.domains.map((domain) => `${protocol}//${domain}/`),
  ];
}

async function changeApp(
  context: CallContext,
  ports: Ports,
  call: {
    method: string;
    action: string;
    request: { app: AppReference; etag: string; idempotencyKey: string };
  },
  change: (app: AppRow) => AppRow,
): Promise<AppRow> {
  const { request, method, action } = call;
  const { idempotencyKey } = request;
  return mutate<AppRow>(context, ports, { method, idempotencyKey, request }, (commit) => {
    const attempt = async () => {
      const old = await findAnyApp(context, ports, request.app);
      checkEtag("app", old, request.etag);
      const app = advanced(ports, change(old));
      const isBack = old.deletedMs !== undefined && app.deletedMs === undefined;
      if (isBack) await checkAppQuota(ports, app.org, isBack);
      const document = await appDocument(ports, app);
      const facts = { action, resourceId: app.id, resourceName: `${app.org}/${app.name}` };
      const expected = { revision: old.revision, documentRevision: old.documentRevision };
      const changed = { app, expected, versions: [] };
      await ports.stores.apps.change(changed, commit(facts, app, document.seal));
      await announce(ports, document);
      return app;
    };
    return retryOnRace(attempt);
  });
}

/** What the platform or its machine answers to is no app's, else one app could pose as another. */
function checkDomains(ports: Ports, domains: readonly string[] = []): void {
  const own = [new URL(`http://${ports.domain}`), new URL(ports.publicUrl)];
  const refused = domains.find((name) => own.some((url) => isReservedHost(name, url.hostname)));
  if (refused === undefined) return;
  throw invalidArgument("domains", `"${refused}" is an address, or belongs to the platform.`);
}

/** The row with both revisions raised, as a change of the caller's. */
export function advanced(ports: Ports, app: AppRow): AppRow {
  return {
    ...app,
    revision: app.revision + 1,
    documentRevision: app.documentRevision + 1,
    updatedMs: ports.clock.nowMs(),
  };
}

function newApp(ports: Ports, org: string, name: string, settings: AppSettings): AppRow {
  const nowMs = ports.clock.nowMs();
  const { description = "", access, domains = [] } = settings;
  return {
    id: ports.ids.next("app"),
    org,
    name,
    description,
    accessJson: access === undefined ? undefined : accessJsonOf(access),
    domains,
    traffic: [],
    sticky: "none",
    latestVersion: 0,
    revision: 1,
    documentRevision: 1,
    createdMs: nowMs,
    updatedMs: nowMs,
  };
}

async function checkNameIsFree(ports: Ports, org: string, name: string): Promise<void> {
  const taken = await ports.stores.apps.find({ org, name });
  if (taken === undefined) return;
  throw new IgniteError({
    code: "already_exists",
    reason: "APP_EXISTS",
    message: `The organization "${org}" already has an app "${name}".`,
    hint: taken.deletedMs === undefined ? "Take another name." : restoreHint(taken),
  });
}

function accessJsonOf(access: Access): string | undefined {
  if (access.policy === AccessPolicy.UNSPECIFIED && access.methods.length === 0) return undefined;
  const { issuer = "", jwksUrl = "" } = access.jwt ?? {};
  if (access.policy === AccessPolicy.JWT && (issuer === "" || jwksUrl === "")) {
    throw invalidArgument("access.jwt", "the policy JWT needs issuer and jwks_url.");
  }
  return toJsonString(AccessSchema, access);
}

function queryOf(reference: AppReference): { id: AppId } | { org: string; name: string } {
  if ("id" in reference) {
    if (isId("app", reference.id)) return { id: reference.id };
    throw invalidArgument("app.id", "it is not an id of an app.");
  }
  const { org, app } = parseAppName(reference.name);
  return { org, name: app };
}

function restoreHint({ deletedMs = 0 }: AppRow): string {
  const until = new Date(deletedMs + deletedAppTtlMs).toISOString();
  return `It is deleted, and can be brought back until ${until}.`;
}

function outOfScope(name: string): IgniteError {
  return new IgniteError({
    code: "permission_denied",
    reason: "PERMISSION_DENIED",
    message: `The key is limited to other apps than "${name}".`,
  });
}
