/** Lets pages of other origins call the API: keys travel in a header, never in a cookie. */
import { cors as connectCors } from "@connectrpc/connect";
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";

const MAX_AGE_SECONDS = 7_200; // What Chromium caps it to

/**
 * Allows the given origins, `*` meaning any.
 * @example app.use(browserAccess(["https://console.example"]))
 */
export function browserAccess(origins: readonly string[]): MiddlewareHandler {
  return cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowMethods: [...connectCors.allowedMethods, "PUT", "HEAD", "DELETE"],
    allowHeaders: [
      ...connectCors.allowedHeaders,
      "Authorization",
      "Content-Range",
      "Ignite-Org",
      "Ignite-Request-Id",
    ],
    exposeHeaders: [
      ...connectCors.exposedHeaders,
      "Ignite-Request-Id",
      "Ignite-Reason",
      "Ignite-Hint",
      "Range",
      "Retry-After",
    ],
    maxAge: MAX_AGE_SECONDS,
  });
}
