/**
 * How the planes know each other. Every call between control, edge, region and store carries a
 * short-lived token, signed with a key derived from the installation's master key for the
 * receiving plane. Sockets with strict permissions stand in front; this is the second wall.
 */

/** A plane that receives calls, or the channel of signed documents. */
export type Channel = "control" | "edge" | "region" | "store" | "documents";

/** A key of one channel. Named through WebCrypto, since each platform declares its own type. */
export type ChannelKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** What a token says. `exp` in milliseconds since the epoch. */
export interface PlaneClaims {
  aud: Channel;
  method: string;
  path: string;
  exp: number;
}

/** The header that carries the token. */
export const planeTokenHeader = "ignite-plane";

const TOKEN_TTL_MS = 60_000;
const encoder = new TextEncoder();

/** Derives the HMAC key of a channel from the 32-byte master key. */
export async function channelKey(
  master: Uint8Array<ArrayBuffer>,
  channel: Channel,
): Promise<ChannelKey> {
  const base = await crypto.subtle.importKey("raw", master, "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(0),
      info: encoder.encode(`ignite/${channel}`),
    },
    base,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign", "verify"],
  );
}

/** Makes the token for one call. `path` is without query. */
export async function signPlaneToken(
  key: ChannelKey,
  call: Omit<PlaneClaims, "exp">,
  nowMs: number,
): Promise<string> {
  const claims: PlaneClaims = { ...call, exp: nowMs + TOKEN_TTL_MS };
  const body = encoder.encode(JSON.stringify(claims));
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, body));
  return `${toBase64Url(body)}.${toBase64Url(mac)}`;
}

/** Whether the token is ours, fresh, and for exactly this call. */
export async function verifyPlaneToken(
  key: ChannelKey,
  token: string | null,
  call: Omit<PlaneClaims, "exp">,
  nowMs: number,
): Promise<boolean> {
  const [body, mac] = decode(token);
  if (body === undefined || mac === undefined) return false;
  if (!(await crypto.subtle.verify("HMAC", key, mac, body))) return false;
  const claims = JSON.parse(new TextDecoder().decode(body)) as PlaneClaims;
  return (
    claims.aud === call.aud &&
    claims.method === call.method &&
    claims.path === call.path &&
    claims.exp > nowMs &&
    claims.exp <= nowMs + 2 * TOKEN_TTL_MS
  );
}

/** Bytes as unpadded base64url. */
export function toBase64Url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Reads unpadded base64url; throws a DOMException for anything else. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

function decode(token: string | null): Uint8Array<ArrayBuffer>[] {
  try {
    return (token ?? "").split(".").map(fromBase64Url);
  } catch {
    return [];
  }
}
