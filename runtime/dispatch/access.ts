/** Who may call an app: everyone, holders of a key of the organization, or of a JWT. */
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import type { KeyDocument, OrganizationDocument } from "../../core/deployment.ts";
import { IgniteError } from "../../core/errors.ts";
import type { AppEntry, Documents } from "./documents.ts";

/** Fetches a key set from the tenant's identity provider, filtered as all egress is. */
export type FetchKeySet = (app: AppEntry, url: string) => Promise<Response>;

const PLATFORM_KEY = /\bigk_/i;
const VERIFIED_MAX = 1_024;
const KEY_SETS_MAX = 256;
const encoder = new TextEncoder();

type KeySet = ReturnType<typeof createRemoteJWKSet>;

/** Checks credentials against the documents; remembers keys that were verified. */
export class Access {
  readonly #documents: Documents;
  readonly #fetchKeySet: FetchKeySet;
  /** By the organization's document, so a new document forgets what the old one allowed. */
  #verified = new WeakMap<OrganizationDocument, Map<string, KeyDocument>>();
  readonly #keySets = new Map<string, KeySet>();

  constructor(documents: Documents, fetchKeySet: FetchKeySet) {
    this.#documents = documents;
    this.#fetchKeySet = fetchKeySet;
  }

  /**
   * Lets the caller pass, at once when its key was seen before. Fails with CREDENTIAL_MISSING,
   * CREDENTIAL_INVALID or PERMISSION_DENIED.
   */
  check(app: AppEntry, request: Request): Promise<void> | undefined {
    const { access, org } = app.document;
    if (access.policy === "public") return undefined;
    const token = bearerOf(request);
    if (access.policy === "jwt") return this.#checkJwt(app, access, token);
    const organization = this.#documents.findOrganization(org);
    if (organization === undefined) throw unauthenticated("CREDENTIAL_INVALID");
    const known = this.#verified.get(organization)?.get(token);
    if (known === undefined) return this.#verifyKey(app, organization, token);
    checkKey(known, app);
    return undefined;
  }

  async #verifyKey(
    app: AppEntry,
    organization: OrganizationDocument,
    token: string,
  ): Promise<void> {
    const digest = await crypto.subtle.digest("SHA-256", encoder.encode(token));
    const hex = Array.from(new Uint8Array(digest), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
    const key = organization.keys.find(({ sha256 }) => sha256 === hex);
    if (key === undefined) throw unauthenticated("CREDENTIAL_INVALID");
    checkKey(key, app);
    const verified = this.#verified.get(organization) ?? new Map<string, KeyDocument>();
    if (verified.size >= VERIFIED_MAX) verified.clear();
    verified.set(token, key);
    this.#verified.set(organization, verified);
  }

  async #checkJwt(
    app: AppEntry,
    policy: { issuer: string; audience: string; jwksUrl: string },
    token: string,
  ): Promise<void> {
    try {
      await jwtVerify(token, this.#keySet(app, policy.jwksUrl), {
        issuer: policy.issuer,
        audience: policy.audience,
        algorithms: ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"],
      });
    } catch (error) {
      throw unauthenticated("CREDENTIAL_INVALID", String(error));
    }
  }

  #keySet(app: AppEntry, url: string): KeySet {
    const name = `${app.document.org} ${url}`;
    const known = this.#keySets.get(name);
    if (known !== undefined) return known;
    const keySet = createRemoteJWKSet(new URL(url), {
      [customFetch]: (address: string) => this.#fetchKeySet(app, address),
    });
    if (this.#keySets.size >= KEY_SETS_MAX) this.#keySets.clear();
    this.#keySets.set(name, keySet);
    return keySet;
  }
}

/** Expiry is checked on every call, since a remembered key outlives it otherwise. */
function checkKey(key: KeyDocument, app: AppEntry): void {
  if (key.expiresMs !== undefined && key.expiresMs !== null && key.expiresMs <= Date.now()) {
    throw unauthenticated("CREDENTIAL_INVALID");
  }
  const inScope = key.apps.length === 0 || key.apps.includes(app.document.app);
  if (inScope) return; // Each role may do what the lower ones may, and the lowest is to invoke
  throw new IgniteError({
    code: "permission_denied",
    reason: "PERMISSION_DENIED",
    message: "This key may not call the app.",
  });
}

/**
 * The request without a platform key. A key is for the gateway: the app that got it could act as
 * its caller. Credentials that are the app's own go through.
 */
export function withoutPlatformKey(request: Request): Request {
  const header = request.headers.get("authorization");
  if (header === null || !PLATFORM_KEY.test(header)) return request;
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  return new Request(request, { headers });
}

function bearerOf(request: Request): string {
  const header = request.headers.get("authorization");
  const token = /^Bearer +([A-Za-z0-9._~+/=-]{1,8192})$/i.exec(header ?? "")?.[1];
  if (token === undefined) throw unauthenticated("CREDENTIAL_MISSING");
  return token;
}

function unauthenticated(
  reason: "CREDENTIAL_MISSING" | "CREDENTIAL_INVALID",
  internal?: string,
): IgniteError {
  return new IgniteError({
    code: "unauthenticated",
    reason,
    message:
      reason === "CREDENTIAL_MISSING"
        ? "The app wants a credential; send Authorization: Bearer …"
        : "The credential is not valid here.",
    ...(internal === undefined ? {} : { internal }),
  });
}
