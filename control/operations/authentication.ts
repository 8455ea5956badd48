/** From the text of a credential to the caller. Every way into the control plane comes by here. */
import { IgniteError } from "../../core/errors.ts";
import type { Principal } from "../context.ts";
import type { KeyRow, Ports } from "../ports.ts";
import { addressOf } from "./address.ts";
import { isApiKey } from "./api-key.ts";
import { notFound } from "./failures.ts";
import { sha256Hex } from "./hash.ts";

const USE_RESOLUTION_MS = 60_000; // Keeps a busy key from writing a row per call

/** A caller, and what it identified itself by. */
export interface Caller {
  principal: Principal;
  credential: string;
}

/**
 * Finds the caller by its key. `defer` takes the note that the key was used. Fails with
 * CREDENTIAL_MISSING, with CREDENTIAL_INVALID for a key that is malformed, unknown, expired or
 * revoked, with RATE_LIMITED, and with NOT_FOUND when `ignite-org` names another organization.
 */
export async function identify(
  ports: Ports,
  headers: Headers,
  defer: (work: Promise<unknown>) => void,
): Promise<Caller> {
  const { admission, clock } = ports;
  const credential = bearerOf(headers);
  if (!(await isApiKey(credential))) throw invalid("The API key is malformed.");
  const address = addressOf(headers);
  const sha256 = await sha256Hex(credential);
  admission.beforeLookup(address, sha256, clock.nowMs());
  const key = await ports.stores.keys.findBySha256(sha256);
  const nowMs = clock.nowMs();
  const fault = key === undefined ? "is unknown" : faultOf(key, sha256, nowMs);
  if (key === undefined || fault !== undefined) {
    admission.noteWrong(address, sha256, nowMs);
    throw invalid(`The API key ${fault}.`);
  }
  admission.noteRight(key.org, sha256, nowMs);
  if (nowMs - (key.lastUsedMs ?? 0) > USE_RESOLUTION_MS) defer(noteUse(ports, key, nowMs));
  const { id: keyId, org, role, apps, operator } = key;
  const principal = { keyId, org, role, apps, operator };
  checkOrganization(principal, headers.get("ignite-org") ?? "");
  return { principal, credential };
}

/** Fails as if it did not exist when an organization is named that is not the caller's. */
export function checkOrganization(principal: Principal, named: string): string {
  if (named === "" || named === principal.org) return principal.org;
  throw notFound(`organization "${named}"`, `The key belongs to "${principal.org}".`);
}

function bearerOf(headers: Headers): string {
  const found = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (found !== undefined) return found;
  throw new IgniteError({
    code: "unauthenticated",
    reason: "CREDENTIAL_MISSING",
    message: "The call carries no API key.",
    hint: "Send the header Authorization: Bearer igk_….",
  });
}

/** Why a key that was found is not valid; undefined when it is. */
function faultOf(key: KeyRow, sha256: string, nowMs: number): string | undefined {
  if (!equals(key.sha256, sha256)) return "is unknown";
  if (key.revokedMs !== undefined) return "was revoked";
  if (key.expiresMs !== undefined && key.expiresMs <= nowMs) return "expired";
  return undefined;
}

async function noteUse(ports: Ports, key: KeyRow, nowMs: number): Promise<void> {
  try {
    await ports.stores.keys.touch(key.id, nowMs);
  } catch (error) {
    ports.log.warn("the use of a key was not noted", { key: key.id, error: String(error) });
  }
}

function invalid(message: string): IgniteError {
  return new IgniteError({
    code: "unauthenticated",
    reason: "CREDENTIAL_INVALID",
    message,
    hint: "Ask an owner of the organization for a key.",
  });
}

/** Compares without telling by its time where two digests differ. */
function equals(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let at = 0; at < left.length; at += 1) {
    difference |= left.charCodeAt(at) ^ right.charCodeAt(at);
  }
  return difference === 0;
}
