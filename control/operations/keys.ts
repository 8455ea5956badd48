/**
 * API keys. A key's 256 bits are a MAC, under a key that only the control plane has, of a random
 * salt that is kept nowhere but in the idempotency row of 24 hours: so a repeated call can answer
 * the same key, and what the database holds gives no key away.
 */
import { assert } from "../../core/assert.ts";
import type { KeyId } from "../../core/ids.ts";
import { toBase64Url } from "../../core/plane-token.ts";
import type { CallContext } from "../context.ts";
import type { KeyRow, OrganizationRow, Ports } from "../ports.ts";
import { formatApiKey, shownPartOf } from "./api-key.ts";
import { retryOnRace } from "./apps.ts";
import { checkOrganization } from "./authentication.ts";
import { mutate, platformCommit } from "./commits.ts";
import { announce, organizationDocument } from "./documents.ts";
import { failedPrecondition, notFound } from "./failures.ts";
import { sha256Hex } from "./hash.ts";
import { type PageRequest, readPage, type TokenPage } from "./pages.ts";

/** A new key with its text. */
export interface SecretKey {
  key: KeyRow;
  /** The whole key; shown once. */
  secret: string;
  /** What the text is made from. */
  salt: string;
}

const SALT_BYTES = 32;

/** The key of this call, and its organization. */
export async function whoAmI(
  { principal }: CallContext,
  ports: Ports,
): Promise<{ key: KeyRow; organization: OrganizationRow }> {
  const { stores } = ports;
  const [key, organization] = await Promise.all([
    stores.keys.get(principal.keyId),
    stores.organizations.find(principal.org),
  ]);
  assert(
    key !== undefined && organization !== undefined,
    "the caller's key and organization exist",
  );
  return { key, organization };
}

/** Makes a key. */
export async function createKey(
  context: CallContext,
  ports: Ports,
  request: {
    organization: string;
    name: string;
    role: KeyRow["role"];
    apps: readonly string[];
    expiresMs: number | undefined;
    idempotencyKey: string;
  },
): Promise<{ key: KeyRow; secret: string }> {
  const org = checkOrganization(context.principal, request.organization);
  const { name, role, apps, expiresMs } = request;
  const call = { method: "CreateKey", idempotencyKey: request.idempotencyKey, request };
  const { key, salt } = await mutate<{ key: KeyRow; salt: string }>(
    context,
    ports,
    call,
    (commit) =>
      retryOnRace(async () => {
        const facts = { org, name, role, apps, expiresMs, operator: false };
        const made = await newKey(ports, facts, newSalt());
        const { organization, live } = await keysOf(ports, org);
        const document = organizationDocument(ports, organization, [...live, made.key]);
        const result = { key: made.key, salt: made.salt };
        const change = { action: "key.create", resourceId: made.key.id, resourceName: name };
        const written = commit(change, result, document.seal);
        await ports.stores.keys.create(made.key, organization.revision, written);
        await announce(ports, document);
        return result;
      }),
  );
  return { key, secret: await secretOf(ports, salt) };
}

/** Lists keys, newest first. */
export function listKeys(
  { principal }: CallContext,
  ports: Ports,
  request: PageRequest & { organization: string; includeRevoked: boolean },
): Promise<TokenPage<KeyRow>> {
  const org = checkOrganization(principal, request.organization);
  const includeDead = request.includeRevoked;
  const filter = { org, includeDead, nowMs: ports.clock.nowMs() };
  return readPage(ports, ["keys", org, includeDead], request, (page) =>
    ports.stores.keys.list(filter, page),
  );
}

/**
 * Revokes a key at once; one that is revoked stays as it is. Fails with NOT_FOUND, and without
 * `force` with LAST_OWNER_KEY.
 */
export function revokeKey(
  context: CallContext,
  ports: Ports,
  request: { id: KeyId; force: boolean; idempotencyKey: string },
): Promise<KeyRow> {
  const call = { method: "RevokeKey", idempotencyKey: request.idempotencyKey, request };
  return mutate<KeyRow>(context, ports, call, (commit) =>
    retryOnRace(async () => {
      const old = await ports.stores.keys.get(request.id);
      if (old?.org !== context.principal.org) throw notFound(`key "${request.id}"`);
      if (old.revokedMs !== undefined) return old;
      const revokedMs = ports.clock.nowMs();
      const key = { ...old, revokedMs };
      const { organization, live } = await keysOf(ports, old.org);
      const rest = live.filter(({ id }) => id !== old.id);
      if (!request.force) checkIsNotLast(old, rest);
      const document = organizationDocument(ports, organization, rest);
      const change = { action: "key.revoke", resourceId: old.id, resourceName: old.name };
      const written = commit(change, key, document.seal);
      await ports.stores.keys.revoke(old, revokedMs, organization.revision, written);
      await announce(ports, document);
      return key;
    }),
  );
}

/** Refuses to take the last key that governs the organization, or the platform. */
function checkIsNotLast(key: KeyRow, rest: readonly KeyRow[]): void {
  const governs = ({ role, apps }: KeyRow) => role === "owner" && apps.length === 0;
  const isLastOwner = governs(key) && !rest.some(governs);
  const isLastOperator = key.operator && !rest.some(({ operator }) => operator);
  if (!isLastOwner && !isLastOperator) return;
  throw failedPrecondition(
    "LAST_OWNER_KEY",
    isLastOperator
      ? "It is the last key that operates the platform."
      : `It is the last key that owns the organization "${key.org}".`,
    isLastOperator
      ? "`ignite keys recover` makes another one first; --force revokes it all the same."
      : "`ignite keys create --role owner` makes another one first; --force revokes it all the same.",
  );
}

/**
 * Makes an owner's key for whoever has the installation's own credentials, when those who had one
 * lost it. Fails with NOT_FOUND.
 */
export function recoverKey(
  ports: Ports,
  org: string,
  operator: boolean,
): Promise<{ org: string; key: string }> {
  return retryOnRace(async () => {
    const organization = await ports.stores.organizations.find(org);
    if (organization === undefined) throw notFound(`organization "${org}"`);
    const facts = { org, name: "recovered key", role: "owner" as const, apps: [], operator };
    const made = await newKey(ports, facts, newSalt());
    const live = await ports.stores.keys.listLive(org, ports.clock.nowMs());
    const document = organizationDocument(ports, organization, [...live, made.key]);
    const change = { action: "key.recover", resourceId: made.key.id, resourceName: facts.name };
    const commit = platformCommit(ports, org, change, document.seal);
    await ports.stores.keys.create(made.key, organization.revision, commit);
    await announce(ports, document);
    return { org, key: made.secret };
  });
}

/** Makes a row and its text from a salt. */
export async function newKey(
  ports: Ports,
  facts: Pick<KeyRow, "org" | "name" | "role" | "apps" | "expiresMs" | "operator">,
  salt: string,
): Promise<SecretKey> {
  const secret = await secretOf(ports, salt);
  const key: KeyRow = {
    id: ports.ids.next("key"),
    ...facts,
    prefix: shownPartOf(secret),
    sha256: await sha256Hex(secret),
    createdMs: ports.clock.nowMs(),
  };
  return { key, secret, salt };
}

/** A salt that nobody can guess. */
export function newSalt(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));
}

/** The text of the key that belongs to a salt. */
export async function secretOf(ports: Ports, salt: string): Promise<string> {
  return formatApiKey(await ports.mac(`api-key ${salt}`));
}

async function keysOf(
  ports: Ports,
  org: string,
): Promise<{ organization: OrganizationRow; live: readonly KeyRow[] }> {
  const organization = await ports.stores.organizations.find(org);
  assert(organization !== undefined, `organization ${org} exists`);
  return { organization, live: await ports.stores.keys.listLive(org, ports.clock.nowMs()) };
}
