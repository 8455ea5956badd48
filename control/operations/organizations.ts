/** Organizations, and the first one of an installation. */
import { toJsonString } from "@bufbuild/protobuf";
import { type Quota, QuotaSchema } from "../../proto/gen/ignite/v1/organization_pb.ts";
import type { CallContext } from "../context.ts";
import type { OrganizationRow, Ports } from "../ports.ts";
import { checkEtag, retryOnRace } from "./apps.ts";
import { mutate, platformCommit } from "./commits.ts";
import { announce, organizationDocument } from "./documents.ts";
import { notFound } from "./failures.ts";
import { newKey, newSalt, type SecretKey, secretOf } from "./keys.ts";
import { type PageRequest, readPage, type TokenPage } from "./pages.ts";

/** An organization with its first key, whose text is shown this once. */
export interface NewOrganization {
  organization: OrganizationRow;
  secret: string;
}

/** Lists organizations by name. */
export function listOrganizations(
  ports: Ports,
  request: PageRequest,
): Promise<TokenPage<OrganizationRow>> {
  return readPage(ports, ["organizations"], request, (page) =>
    ports.stores.organizations.list(page),
  );
}

/** Makes an organization and its first key, an owner. Fails with ORGANIZATION_EXISTS. */
export async function createOrganization(
  context: CallContext,
  ports: Ports,
  request: {
    name: string;
    displayName: string;
    isolation: OrganizationRow["isolation"];
    quota: Quota | undefined;
    idempotencyKey: string;
  },
): Promise<NewOrganization> {
  const call = { method: "CreateOrganization", idempotencyKey: request.idempotencyKey, request };
  const { organization, salt } = await mutate<{ organization: OrganizationRow; salt: string }>(
    context,
    ports,
    call,
    async (commit) => {
      const organization = newOrganization(ports, request);
      const owner = await firstKey(ports, organization, newSalt(), false);
      const document = organizationDocument(ports, organization, [owner.key]);
      const result = { organization, salt: owner.salt };
      const { id: resourceId, name: resourceName } = organization;
      const change = { action: "organization.create", resourceId, resourceName };
      const written = commit(change, result, document.seal);
      await ports.stores.organizations.create(organization, owner.key, written);
      await announce(ports, document);
      return result;
    },
  );
  return { organization, secret: await secretOf(ports, salt) };
}

/** Sets what an organization may use. Fails with NOT_FOUND or ETAG_MISMATCH. */
export function setQuota(
  context: CallContext,
  ports: Ports,
  request: { name: string; quota: Quota; etag: string; idempotencyKey: string },
): Promise<OrganizationRow> {
  const call = { method: "SetQuota", idempotencyKey: request.idempotencyKey, request };
  return mutate<OrganizationRow>(context, ports, call, (commit) =>
    retryOnRace(async () => {
      const old = await ports.stores.organizations.find(request.name);
      if (old === undefined) throw notFound(`organization "${request.name}"`);
      checkEtag("organization", old, request.etag);
      const quotaJson = toJsonString(QuotaSchema, request.quota);
      const updatedMs = ports.clock.nowMs();
      const organization = { ...old, quotaJson, updatedMs, revision: old.revision + 1 };
      const change = { action: "organization.quota", resourceId: old.id, resourceName: old.name };
      await ports.stores.organizations.update(organization, commit(change, organization));
      return organization;
    }),
  );
}

/**
 * Makes the first organization and its operator key, if there is no organization at all. Answers
 * the key's text then, else none.
 */
export async function bootstrap(
  ports: Ports,
  name: string,
): Promise<{ org: string; key: string | null }> {
  const wanted = { name, displayName: "", isolation: "org" as const, quota: undefined };
  const organization = newOrganization(ports, wanted);
  const owner = await firstKey(ports, organization, newSalt(), true);
  const document = organizationDocument(ports, organization, [owner.key]);
  const change = {
    action: "organization.create",
    resourceId: organization.id,
    resourceName: name,
  };
  const commit = platformCommit(ports, name, change, document.seal);
  const { organizations } = ports.stores;
  const isFirst = await organizations.createFirst(organization, owner.key, commit);
  if (!isFirst) return { org: name, key: null };
  await announce(ports, document);
  return { org: name, key: owner.secret };
}

function firstKey(
  ports: Ports,
  { name: org }: OrganizationRow,
  salt: string,
  operator: boolean,
): Promise<SecretKey> {
  return newKey(ports, { org, name: "first key", role: "owner", apps: [], operator }, salt);
}

function newOrganization(
  ports: Ports,
  request: {
    name: string;
    displayName: string;
    isolation: OrganizationRow["isolation"];
    quota: Quota | undefined;
  },
): OrganizationRow {
  const nowMs = ports.clock.nowMs();
  const { name, isolation, quota } = request;
  return {
    id: ports.ids.next("organization"),
    name,
    displayName: request.displayName || name,
    isolation,
    quotaJson: quota === undefined ? "{}" : toJsonString(QuotaSchema, quota),
    revision: 1,
    createdMs: nowMs,
    updatedMs: nowMs,
  };
}
