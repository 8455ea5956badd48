import { expect, test } from "vitest";
import { testControl } from "../../testing/control.ts";

test("/ leads a browser to /docs, and says to a program that nothing is there", async () => {
  const control = await testControl();
  const headers = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  const page = await control.fetch("/", { headers, redirect: "manual" });
  expect([page.status, page.headers.get("location")]).toEqual([302, "/docs"]);
  const plain = await control.fetch("/");
  expect(plain.status).toBe(404);
  expect(await plain.json()).toMatchObject({ detail: "There is no GET /." });
});
