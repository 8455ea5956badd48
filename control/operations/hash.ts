/** Digests of bytes, and of data whose order of fields does not matter. */
const encoder = new TextEncoder();

/** SHA-256 in lower-case hexadecimal. */
export async function sha256Hex(data: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** SHA-256 of plain data; equal data gives an equal digest, whatever the order of its fields. */
export function digestOf(data: unknown): Promise<string> {
  return sha256Hex(JSON.stringify(data, sortFields));
}

function sortFields(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}
