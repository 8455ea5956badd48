import type { Input, OptionSpec } from "./command.ts";

/** The option of every list. */
export const limitOption: OptionSpec = {
  flags: "-n, --limit <count>",
  summary: "most items to list",
  fallback: "50",
};

/** A page of a list. */
export interface Page<Item> {
  items: readonly Item[];
  nextPageToken: string;
}

const PAGE_SIZE_MAX = 1_000; // What the API takes

/** Reads pages until there are as many items as `--limit` says, or no more. */
export async function collect<Item>(
  input: Input,
  read: (page: { pageSize: number; pageToken: string }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const limit = input.number("limit", 1) ?? PAGE_SIZE_MAX;
  const items: Item[] = [];
  let pageToken = "";
  do {
    const pageSize = Math.min(limit - items.length, PAGE_SIZE_MAX);
    const page = await read({ pageSize, pageToken });
    items.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && items.length < limit);
  return items.slice(0, limit);
}
