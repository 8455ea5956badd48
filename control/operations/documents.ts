/**
 * Builds the documents that the edge reads from rows. The only place that does, so that every
 * change of an app or a key yields the same document whoever made it.
 */
import { fromJson, fromJsonString } from "@bufbuild/protobuf";
import type {
  AccessPolicy as AccessDocument,
  AppDocument,
  InvocationLimits,
  KeyDocument,
  OrganizationDocument,
  SignedDocument,
  VersionDocument,
} from "../../core/deployment.ts";
import {
  bodyMbDefault,
  cpuMsDefault,
  documentVersionsMax,
  memoryMbDefault,
  memoryMbMax,
  timeoutMsDefault,
} from "../../core/limits.ts";
import {
  type Access,
  AccessPolicy,
  AccessSchema,
  type AppConfig,
  AppConfigSchema,
} from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { AppRow, Commit, KeyRow, OrganizationRow, Ports, VersionRow } from "../ports.ts";

/** A document that gets its sequence and signature while it is committed. */
export interface PendingDocument {
  /** For {@link Commit}. */
  seal: NonNullable<Commit["document"]>;
  /** The sealed document; undefined until the commit happened. */
  sealed(): SignedDocument | undefined;
}

/**
 * The document of an app as `app` will be. `added` is a version that becomes reachable with the
 * same change, `removed` the number of one that ceases to be.
 */
export async function appDocument(
  ports: Ports,
  app: AppRow,
  change: { added?: VersionRow; removed?: number } = {},
): Promise<PendingDocument> {
  const weighted = app.traffic.map(({ version }) => version);
  const { versions } = ports.stores;
  const known = await versions.listReachable(app.id, documentVersionsMax, weighted);
  const reachable = [...(change.added === undefined ? [] : [change.added]), ...known].filter(
    ({ number }) => number !== change.removed,
  );
  const body = JSON.stringify(appBody(app, reachable));
  return pending(ports, "app", `${app.org}/${app.name}`, body);
}

/** The document of an organization with these keys, all of them alive. */
export function organizationDocument(
  ports: Ports,
  { name, isolation }: OrganizationRow,
  keys: readonly KeyRow[],
): PendingDocument {
  const body: OrganizationDocument = { org: name, isolation, keys: keys.map(keyDocument) };
  return pending(ports, "organization", name, JSON.stringify(body));
}

/** Pushes a committed document to the edge; a cell that misses it finds it in its next poll. */
export async function announce(ports: Ports, document: PendingDocument): Promise<void> {
  const sealed = document.sealed();
  if (sealed !== undefined) await ports.edge.push([sealed]);
}

/** The configuration of the version whose settings hold for the whole app. */
export function leadingVersion(
  app: AppRow,
  reachable: readonly VersionRow[],
): VersionRow | undefined {
  const [heaviest] = app.traffic.toSorted((a, b) => b.weight - a.weight);
  return reachable.find(({ number }) => number === heaviest?.version) ?? reachable[0];
}

/** Who may invoke the app: what the app says, else what its leading version says. */
export function accessOf(app: AppRow, leading: VersionRow | undefined): Access | undefined {
  if (app.accessJson !== undefined) return fromJsonString(AccessSchema, app.accessJson);
  return leading === undefined ? undefined : configOf(leading).access;
}

function appBody(app: AppRow, reachable: readonly VersionRow[]): AppDocument {
  const leading = leadingVersion(app, reachable);
  const config = leading === undefined ? fromJson(AppConfigSchema, {}) : configOf(leading);
  const access = accessOf(app, leading);
  const isDeleted = app.deletedMs !== undefined;
  return {
    appId: app.id,
    org: app.org,
    app: app.name,
    deleted: isDeleted,
    domains: isDeleted ? [] : app.domains,
    access: accessDocument(access),
    limits: limitsOf(config, access),
    traffic: isDeleted ? [] : app.traffic,
    sticky: app.sticky,
    schema: schemaOf(config),
    versions: isDeleted ? {} : Object.fromEntries(reachable.flatMap(versionEntry)),
  };
}

function versionEntry(row: VersionRow): [string, VersionDocument][] {
  if (row.artifactDigest === undefined) return [];
  const { id: versionId, number, artifactDigest: artifact } = row;
  return [[String(number), { versionId, number, artifact, vars: configOf(row).vars }]];
}

function accessDocument(access: Access | undefined): AccessDocument {
  if (access?.policy === AccessPolicy.KEY) return { policy: "key" };
  if (access?.policy !== AccessPolicy.JWT) return { policy: "public" };
  const { issuer = "", audience = "", jwksUrl = "" } = access.jwt ?? {};
  return { policy: "jwt", issuer, audience, jwksUrl };
}

function limitsOf({ limits }: AppConfig, access: Access | undefined): InvocationLimits {
  return {
    memoryMb: Math.min(limits?.memoryMb || memoryMbDefault, memoryMbMax),
    cpuMs: limits?.cpuMs || cpuMsDefault,
    timeoutMs: limits?.timeoutMs || timeoutMsDefault,
    bodyMb: limits?.bodyMb || bodyMbDefault,
    methods: access?.methods ?? [],
  };
}

function schemaOf({ schema }: AppConfig): AppDocument["schema"] {
  const input = schema?.inputJson ? JSON.parse(schema.inputJson) : undefined;
  const output = schema?.outputJson ? JSON.parse(schema.outputJson) : undefined;
  return { ...(input !== undefined && { input }), ...(output !== undefined && { output }) };
}

function keyDocument({ id, sha256, role, apps, expiresMs }: KeyRow): KeyDocument {
  return { id, sha256, role, apps, expiresMs };
}

function configOf(version: VersionRow): AppConfig {
  return fromJsonString(AppConfigSchema, version.configJson);
}

function pending(
  ports: Ports,
  kind: SignedDocument["kind"],
  key: string,
  body: string,
): PendingDocument {
  let sealed: SignedDocument | undefined;
  return {
    async seal(sequence) {
      sealed = await ports.sign({ kind, key, sequence, body });
      return sealed;
    },
    sealed: () => sealed,
  };
}
