/** Page tokens are taken from those who got them, for the list that they are of, as they are. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../../test/harness/arbitraries.ts";
import type { Page, Ports } from "../ports.ts";
import { testControl } from "../testing/control.ts";
import { readPage } from "./pages.ts";

const cursor = fc.oneof(
  fc.stringMatching(/^[a-z0-9-]{1,30}$/),
  fc.tuple(fc.nat(), fc.stringMatching(/^app_[0-9a-z]{26}$/)).map(([ms, id]) => `${ms}.${id}`),
);
const list = fc.tuple(fc.constantFrom("apps", "keys"), fc.string(), fc.boolean());

/** Reads a page whose next one begins at `next`; answers the cursor that it began at. */
async function page(ports: Ports, name: readonly unknown[], pageToken: string, next?: string) {
  let asked: Page | undefined;
  const { nextPageToken } = await readPage(
    ports,
    name,
    { pageSize: 2, pageToken },
    async (read) => {
      asked = read;
      return next === undefined ? { items: [] } : { items: [], next };
    },
  );
  return { cursor: asked?.cursor, token: nextPageToken };
}

test("readPage() begins where its own token says, for the same list only", async () => {
  const { ports } = await testControl();
  await fc.assert(
    fc.asyncProperty(list, list, cursor, async (one, other, next) => {
      const { token } = await page(ports, one, "", next);
      expect(await page(ports, one, token)).toEqual({ cursor: next, token: "" });
      fc.pre(JSON.stringify(one) !== JSON.stringify(other));
      await expect(page(ports, other, token)).rejects.toMatchObject({
        reason: "PAGE_TOKEN_INVALID",
      });
    }),
  );
});

test("readPage() takes no token that is changed in the least, and none of a stranger's", async () => {
  const { ports } = await testControl();
  const change = fc.oneof(
    anyText(3).map((text) => ({ text, cut: 0 })),
    fc.constantFrom(".", ".x", "=", "A").map((text) => ({ text, cut: 0 })),
    fc.record({ text: anyText(3), cut: fc.nat(3) }),
  );
  await fc.assert(
    fc.asyncProperty(cursor, fc.nat(), change, async (next, place, { text, cut }) => {
      const { token } = await page(ports, ["apps"], "", next);
      for (const at of [place % token.length, token.length]) {
        const changed = token.slice(0, at) + text + token.slice(at + cut);
        if (changed === token || changed === "") continue;
        const reading = page(ports, ["apps"], changed);
        await expect(reading).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
      }
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyText(), fc.base64String()), async (token) => {
      fc.pre(token !== "");
      const reading = page(ports, ["apps"], token);
      await expect(reading).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
    }),
  );
});
