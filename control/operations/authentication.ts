/** From the text of a credential to the caller. Every way into the control plane comes by here. */
import { IgniteError } from "../../core/errors.ts";
import type { Principal } from "../context.ts";
import type { KeyRow, Ports } from "../ports.ts";
import { isApiKey } from "./api-key.ts";
import { notFound } from "./failures.ts";
import { sha256Hex } from "./hash.ts";

const USE_RESOLUTION_MS = 60_000; // Keeps a busy key from writing a row per call

/** Reads `Bearer …`. Fails with CREDENTIAL_MISSING. */
export function bearerOf(headers: Headers): string {
  const found = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (found !== undefined) return found;
  throw new IgniteError({
    code: "unauthenticated",
    reason: "CREDENTIAL_MISSING",
    message: "The call carries no API key.",
    hint: "Send the header Authorization: Bearer igk_….",
  });
}

/**
 * Finds the caller by its key. `defer` takes the note that the key was used. Fails with
 * CREDENTIAL_INVALID for a key that is malformed, unknown, expired or revoked.
 */
export async function authenticate(
  ports: Ports,
  credential: string,
  defer: (work: Promise<unknown>) => void,
): Promise<Principal> {
  if (!(await isApiKey(credential))) throw invalid("The API key is malformed.");
  const sha256 = await sha256Hex(credential);
  const key = await ports.stores.keys.findBySha256(sha256);
  const nowMs = ports.clock.nowMs();
  if (key === undefined || !equals(key.sha256, sha256)) throw invalid("The API key is unknown.");
  if (key.revokedMs !== undefined) throw invalid("The API key was revoked.");
  if (key.expiresMs !== undefined && key.expiresMs <= nowMs) throw invalid("The API key expired.");
  if (nowMs - (key.lastUsedMs ?? 0) > USE_RESOLUTION_MS) defer(noteUse(ports, key, nowMs));
  const { id: keyId, org, role, apps, operator } = key;
  return { keyId, org, role, apps, operator };
}

/** Fails as if it did not exist when an organization is named that is not the caller's. */
export function checkOrganization(principal: Principal, named: string): string {
  if (named === "" || named === principal.org) return principal.org;
  throw notFound(`organization "${named}"`, `The key belongs to "${principal.org}".`);
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
