import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { httpStatusOf, IgniteError, isRetryable, problemOf } from "./errors.ts";

test("docs/errors.md lists every reason, in the order of the source", async () => {
  const source = await readFile(new URL("./errors.ts", import.meta.url), "utf8");
  const union = source.slice(source.indexOf("type Reason"), source.indexOf("IgniteErrorInit"));
  const reasons = [...union.matchAll(/\| "([A-Z_]+)"/g)].map(([, reason]) => reason);
  const page = await readFile(new URL("../docs/errors.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, reason]) => reason);
  expect(rows).toEqual(reasons);
});

test("IgniteError.from() hides what was thrown and keeps it for the log", () => {
  const error = IgniteError.from(new Error("password=1234"));
  expect(error).toMatchObject({ code: "internal", reason: "INTERNAL" });
  expect(error.message).not.toContain("1234");
  expect(error.internal).toContain("1234");
  expect(IgniteError.from(error)).toBe(error);
});

test("problemOf() describes an error by RFC 9457", () => {
  const error = new IgniteError({
    code: "resource_exhausted",
    reason: "BODY_TOO_LARGE",
    message: "The body is too large.",
    hint: "Send less.",
    internal: "not for the caller",
  });
  expect(problemOf(error, "id1", 413)).toEqual({
    type: "https://ignite.dev/errors/body-too-large",
    title: "Body too large",
    status: 413,
    detail: "The body is too large. Send less.",
    instance: "id1",
    reason: "BODY_TOO_LARGE",
  });
});

test("isRetryable() is for what may pass by itself", () => {
  expect(isRetryable("unavailable")).toBe(true);
  expect(isRetryable("not_found")).toBe(false);
  expect(httpStatusOf("not_found")).toBe(404);
});
