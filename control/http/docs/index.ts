/** The API's description, for programs and for people. Both are self-contained. */
import { Hono } from "hono";
import openapi from "../../../proto/gen/openapi.json" with { type: "json" };
import type { AppEnvironment } from "../environment.ts";
import { renderReference } from "./page.ts";

const CACHE = "public, max-age=300";

/**
 * `/openapi.json` and `/docs`.
 * @example app.route("/", docs())
 */
export function docs(): Hono<AppEnvironment> {
  const app = new Hono<AppEnvironment>();
  let page: string | undefined;
  app.get("/openapi.json", (context) => context.json(openapi, 200, { "cache-control": CACHE }));
  app.get("/docs", (context) => {
    page ??= renderReference(openapi);
    return context.html(page, 200, {
      "cache-control": CACHE,
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    });
  });
  return app;
}
