/**
 * The text of an API key: `igk_`, 256 bits in 43 base-62 digits, and 6 digits of checksum, so that
 * a mistyped key is told from an unknown one without asking the database, and scanners can find
 * leaked ones.
 */
import { sha256Hex } from "./hash.ts";

const PREFIX = "igk_";
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const SHAPE = /^igk_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const SHOWN_LENGTH = 12;

/** Writes 32 bytes as a key. */
export async function formatApiKey(bytes: Uint8Array): Promise<string> {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const body = base62(BigInt(`0x${hex}`), BODY_LENGTH);
  return `${PREFIX}${body}${await checksumOf(body)}`;
}

/** Whether the text has the shape and the checksum of a key. */
export async function isApiKey(text: string): Promise<boolean> {
  const [, body, checksum] = SHAPE.exec(text) ?? [];
  return body !== undefined && (await checksumOf(body)) === checksum;
}

/** The part of a key that may be shown, to recognize it by. */
export function shownPartOf(key: string): string {
  return key.slice(0, SHOWN_LENGTH);
}

async function checksumOf(body: string): Promise<string> {
  return base62(BigInt(`0x${(await sha256Hex(body)).slice(0, 8)}`), CHECKSUM_LENGTH);
}

function base62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest /= 62n) {
    text = `${DIGITS[Number(rest % 62n)]}${text}`;
  }
  return text;
}
