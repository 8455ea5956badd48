/** The API's description, for programs and for people. Both are self-contained. */
import { Hono } from "hono";
import openapi from "../../../proto/gen/openapi.json" with { type: "json" };
import type { AppEnvironment } from "../environment.ts";
import { renderReference } from "./page.ts";

const CACHE = "public, max-age=300";

/**
 * `/openapi.json` and `/docs`, to which a browser at `/` is led.
 * @example app.route("/", docs())
 */
export function docs(): Hono<AppEnvironment> {
  const app = new Hono<AppEnvironment>();
  let page: string | undefined;
  app.get("/", async (context, proceed) => {
    const { accept } = context.req.header();
    if (!/\btext\/html\b/.test(accept ?? "")) return proceed();
    context.header("vary", "accept");
    return context.redirect("/docs");
  });
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
