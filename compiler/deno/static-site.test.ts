/** The generated module, run here with the one function of Deno that it calls. */
import { beforeAll, expect, test } from "vitest";
import { staticSiteModule } from "./static-site.ts";

const files: Record<string, string> = {
  "index.html": "home",
  "about.html": "about",
  "docs/index.html": "docs",
  "404.html": "lost",
};
let site: { fetch(request: Request): Promise<Response> };

beforeAll(async () => {
  const assets = Object.entries(files).map(([name, text]) => {
    const bytes = new TextEncoder().encode(text);
    return { name, bytes, meta: { contentType: "text/html; charset=utf-8" } };
  });
  Object.assign(globalThis, { Deno: { readFile: async (name: string) => files[name] } });
  const code = encodeURIComponent(staticSiteModule(assets));
  site = (await import(`data:text/javascript,${code}`)).default;
});

async function get(path: string, init?: RequestInit) {
  const response = await site.fetch(new Request(`http://site${path}`, init));
  return { status: response.status, text: await response.text(), headers: response.headers };
}

test.each([
  ["/", 200, "home"],
  ["/index.html", 200, "home"],
  ["/about", 200, "about"],
  ["/docs/", 200, "docs"],
  ["/docs", 308, ""],
  ["/nothing", 404, "lost"],
  ["/%zz", 400, "Bad request.\n"],
])("A static site answers %s with %i", async (path, status, text) => {
  expect(await get(path)).toMatchObject({ status, text });
});

test("A static site knows what the browser has already", async () => {
  const etag = (await get("/")).headers.get("etag") ?? "";
  expect((await get("/", { headers: { "if-none-match": etag } })).status).toBe(304);
});

test("A static site answers HEAD without a body and refuses to be written", async () => {
  expect(await get("/", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  expect(await get("/", { method: "POST" })).toMatchObject({ status: 405 });
});
