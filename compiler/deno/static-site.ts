/** The start module of an app that is only static files: made here, run by the isolate. */
import { createHash } from "node:crypto";
import type { Asset } from "./assets.ts";

/**
 * A module that answers GET and HEAD with the assets: `/` and folders by their `index.html`,
 * `/about` by `about.html`, a folder without its slash by a redirect, `404.html` for what is
 * missing, with entity tags.
 */
export function staticSiteModule(assets: readonly Asset[]): string {
  const files = Object.fromEntries(
    assets.map(({ name, bytes, meta }) => [
      name,
      [meta.contentType, createHash("sha256").update(bytes).digest("base64url").slice(0, 22)],
    ]),
  );
  return `const files = new Map(Object.entries(${JSON.stringify(files)}));\n${SERVER}`;
}

const SERVER = `
function find(path) {
  const name = path.slice(1);
  const folder = name === "" || name.endsWith("/") ? name : name + "/";
  return [name, folder + "index.html", name + ".html"].find((each) => files.has(each));
}

async function answer(request, name, status) {
  const [type, tag] = files.get(name);
  const headers = { "content-type": type, etag: '"' + tag + '"', "cache-control": "public, max-age=0, must-revalidate" };
  const known = (request.headers.get("if-none-match") ?? "").includes(tag);
  if (known && status === 200) return new Response(null, { status: 304, headers });
  const body = request.method === "HEAD" ? null : await Deno.readFile(name);
  return new Response(body, { status, headers });
}

export default {
  async fetch(request) {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Method not allowed.\\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    let path;
    try {
      path = decodeURIComponent(new URL(request.url).pathname);
    } catch {
      return new Response("Bad request.\\n", { status: 400 });
    }
    const name = find(path);
    if (name === path.slice(1) + "/index.html") {
      // Relative, since the app may be served below a path that it does not see
      const location = encodeURIComponent(path.slice(path.lastIndexOf("/") + 1)) + "/";
      return new Response(null, { status: 308, headers: { location } });
    }
    if (name !== undefined) return answer(request, name, 200);
    if (files.has("404.html")) return answer(request, "404.html", 404);
    return new Response("Not found.\\n", { status: 404 });
  },
};
`;
