/** Page tokens: a store's cursor, bound to its list and signed, so that no other is accepted. */
import { IgniteError } from "../../core/errors.ts";
import { pageSizeDefault, pageSizeMax } from "../../core/limits.ts";
import { fromBase64Url, toBase64Url } from "../../core/plane-token.ts";
import type { Page, PageOf, Ports } from "../ports.ts";

/** How a caller asks for a page. */
export interface PageRequest {
  /** 0 means the default. */
  pageSize: number;
  pageToken: string;
}

/** A page with the caller's token of the next one, empty on the last. */
export interface TokenPage<Row> {
  items: readonly Row[];
  nextPageToken: string;
}

const MAC_BYTES = 12; // A guess gives nothing but another place in the caller's own list
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Reads one page of a list. `list` names the list and its filter, to which tokens are bound. Fails
 * with PAGE_TOKEN_INVALID.
 */
export async function readPage<Row>(
  ports: Ports,
  list: readonly unknown[],
  request: PageRequest,
  read: (page: Page) => Promise<PageOf<Row>>,
): Promise<TokenPage<Row>> {
  const limit = Math.min(request.pageSize || pageSizeDefault, pageSizeMax);
  const name = JSON.stringify(list);
  const cursor = request.pageToken === "" ? undefined : await open(ports, name, request.pageToken);
  const { items, next } = await read({ limit, cursor });
  return { items, nextPageToken: next === undefined ? "" : await seal(ports, name, next) };
}

async function seal(ports: Ports, name: string, cursor: string): Promise<string> {
  const mac = await macOf(ports, name, cursor);
  return `${toBase64Url(encoder.encode(cursor))}.${mac}`;
}

async function open(ports: Ports, name: string, token: string): Promise<string> {
  const [body = ""] = token.split(".");
  try {
    const cursor = decoder.decode(fromBase64Url(body));
    if (token === (await seal(ports, name, cursor))) return cursor;
  } catch {
    // Not even base64url: refused like any other token that is not ours.
  }
  throw new IgniteError({
    code: "invalid_argument",
    reason: "PAGE_TOKEN_INVALID",
    message: "page_token: it was not issued for this list.",
    hint: "Start again without a page token.",
    details: { field: "page_token" },
  });
}

async function macOf(ports: Ports, name: string, cursor: string): Promise<string> {
  return toBase64Url((await ports.mac(`page ${name} ${cursor}`)).slice(0, MAC_BYTES));
}
