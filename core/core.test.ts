import { expect, test } from "vitest";
import { decodeBundle, encodeBundle } from "./bundle.ts";
import { signDocument, verifyDocument } from "./deployment.ts";
import { isReservedHost, parseAppName, parseHost, targetOfHost, targetOfPath } from "./names.ts";
import { channelKey, signPlaneToken, verifyPlaneToken } from "./plane-token.ts";

const text = (value: string) => new TextEncoder().encode(value);

test("encodeBundle() gives equal bytes for equal parts in any order, decodeBundle() reads them", () => {
  const parts = [
    { name: "b.txt", bytes: text("two"), meta: { type: "text" as const } },
    { name: "a.js", bytes: text("one"), meta: { type: "js" as const } },
  ];
  const base = {
    runtime: "deno" as const,
    main: "a.js",
    mustUnderstand: ["deno-namespace"],
    compatibilityDate: "2026-08-01",
    compatibilityFlags: [],
    assets: [],
    sourceMap: text("{}"),
  };
  const blob = encodeBundle({ ...base, modules: parts });
  expect(encodeBundle({ ...base, modules: parts.toReversed() })).toEqual(blob);
  const bundle = decodeBundle(blob.buffer);
  expect(bundle.index.modules.map((module) => module.name)).toEqual(["a.js", "b.txt"]);
  const [first] = bundle.index.modules;
  expect(new TextDecoder().decode(first && bundle.bytesOf(first))).toBe("one");
});

test("decodeBundle() refuses what it does not understand", () => {
  const blob = encodeBundle({
    runtime: "deno",
    main: "a.js",
    mustUnderstand: ["time-travel"],
    compatibilityDate: "2026-08-01",
    compatibilityFlags: [],
    modules: [],
    assets: [],
    sourceMap: undefined,
  });
  expect(() => decodeBundle(blob.buffer)).toThrow(/time-travel/);
  expect(() => decodeBundle(blob.slice(0, 20).buffer)).toThrow(/cut off/);
  expect(() => decodeBundle(new ArrayBuffer(3))).toThrow(/not an Ignite bundle/);
});

test("isReservedHost() knows addresses, the machine's names and the platform's", () => {
  const platform = "apps.example";
  const reserved = ["127.0.0.1", "0.0.0.0", "a.1", "a.0x7F", "localhost", "x.localhost"];
  for (const name of [...reserved, platform, `x.${platform}`]) {
    expect(isReservedHost(name, platform), name).toBe(true);
  }
  for (const name of ["example", "shop.example", "1.example", "notapps.example", "a.0xyz"]) {
    expect(isReservedHost(name, platform), name).toBe(false);
  }
});

test("parseHost() takes hostnames only", () => {
  expect(parseHost("Hello--Acme.localhost:8787")).toEqual({
    name: "hello--acme.localhost",
    port: "8787",
  });
  for (const bad of ["a.test/x?", "a@b.test", "a.test, b.test", "", "a..b", "-a", "[::1]", "a b"]) {
    expect(parseHost(bad), bad).toBeUndefined();
  }
});

test("targetOfHost() reads app, organization and preview version", () => {
  expect(targetOfHost("hello--acme.localhost", "localhost")).toEqual({
    org: "acme",
    app: "hello",
    version: undefined,
  });
  expect(targetOfHost("v3--hello--acme.localhost", "localhost")?.version).toBe(3);
  expect(targetOfHost("v03--hello--acme.localhost", "localhost")).toBeUndefined();
  expect(targetOfHost("hello--acme.evil.localhost", "localhost")).toBeUndefined();
  expect(targetOfHost("localhost", "localhost")).toBeUndefined();
});

test("targetOfPath() separates the app from the path it sees", () => {
  expect(targetOfPath("/@acme/hello/a/b?c=1")).toEqual({
    target: { org: "acme", app: "hello", version: undefined },
    rest: "/a/b?c=1",
  });
  expect(targetOfPath("/@acme/hello")?.rest).toBe("/");
  expect(targetOfPath("/@acme/hello?x=1")?.rest).toBe("/?x=1");
  expect(targetOfPath("/@Acme/hello")).toBeUndefined();
});

test("parseAppName() refuses anything but organization/app", () => {
  expect(parseAppName("acme/hello")).toEqual({ org: "acme", app: "hello" });
  for (const bad of ["acme", "acme/", "a/b/c", "acme/a--b", "acme/-a", "acme/A", "../x"]) {
    expect(() => parseAppName(bad), bad).toThrow(/not an app name/);
  }
});

test("verifyPlaneToken() accepts only the call that was signed, while it is fresh", async () => {
  const key = await channelKey(new Uint8Array(32), "edge");
  const call = { aud: "edge" as const, method: "POST", path: "/v1/documents" };
  const token = await signPlaneToken(key, call, 1_000);
  expect(await verifyPlaneToken(key, token, call, 2_000)).toBe(true);
  expect(await verifyPlaneToken(key, token, { ...call, path: "/v1/x" }, 2_000)).toBe(false);
  expect(await verifyPlaneToken(key, token, call, 62_000)).toBe(false);
  expect(await verifyPlaneToken(key, `${token}x`, call, 2_000)).toBe(false);
  expect(await verifyPlaneToken(key, null, call, 2_000)).toBe(false);
});

test("verifyDocument() notices any change", async () => {
  const key = await channelKey(new Uint8Array(32), "documents");
  const signed = await signDocument(key, { kind: "app", key: "a/b", sequence: 1, body: "{}" });
  expect(await verifyDocument(key, signed)).toBe(true);
  expect(await verifyDocument(key, { ...signed, sequence: 2 })).toBe(false);
  expect(await verifyDocument(key, { ...signed, signature: "*" })).toBe(false);
});
