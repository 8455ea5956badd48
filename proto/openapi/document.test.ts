import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type DescFile, type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { Validator } from "@cfworker/json-schema";
import { expect, test } from "vitest";
import openapi from "../gen/openapi.json" with { type: "json" };

const generated = join(import.meta.dirname, "..", "gen", "ignite", "v1");
const modules: Record<string, DescFile>[] = await Promise.all(
  readdirSync(generated).map((name) => import(join(generated, name))),
);
const files = modules.flatMap((module) =>
  Object.values(module).filter((value) => value?.kind === "file"),
);
const messages = new Map(
  files.flatMap((file) => file.messages).map((message) => [message.name, message]),
);
const validator = createValidator();

function messageOf(name: string): DescMessage {
  const message = messages.get(name);
  if (message === undefined) throw new Error(`There is no message ${name}.`);
  return message;
}

/** What the validator of the server says: valid, invalid, or error for rules that are broken. */
function ruleVerdict(name: string, json: JsonValue): string {
  const schema = messageOf(name);
  return validator.validate(schema, fromJson(schema, json)).kind;
}

/** What OpenAPI says of the same body. */
function schemaVerdict(name: string, json: JsonValue): string {
  const root = { $ref: `#/components/schemas/ignite.v1.${name}`, components: openapi.components };
  return new Validator(root, "2020-12").validate(json).valid ? "valid" : "invalid";
}

test("the document names every method of every public service", () => {
  const services = files.flatMap((file) => file.services);
  const methods = services
    .filter((service) => service.name !== "RegionService")
    .flatMap((service) => service.methods.map(({ name }) => `/${service.typeName}/${name}`));
  expect(Object.keys(openapi.paths).sort()).toEqual(methods.sort());
});

test("every reference in the document leads somewhere", () => {
  const names = JSON.stringify(openapi).matchAll(/"#\/components\/schemas\/([^"]+)"/g);
  const known = new Set(Object.keys(openapi.components.schemas));
  expect([...names].map(([, name]) => name).filter((name) => !known.has(name ?? ""))).toEqual([]);
});

test("the rules of every message compile", () => {
  const broken = [...messages.keys()].filter((name) => ruleVerdict(name, {}) === "error");
  expect(messages.size).toBeGreaterThan(100);
  expect(broken).toEqual([]);
});

const app = { name: "acme/hello" };
const appId = { id: `app_${"0".repeat(26)}` };
const source = { digest: "a".repeat(64) };
const compile = { runtime: { deno: {} }, source };

test.each([
  ["CreateAppRequest", { name: "hello" }, "valid"],
  ["CreateAppRequest", {}, "invalid"],
  ["CreateAppRequest", { name: "hello--there" }, "invalid"],
  ["CreateAppRequest", { name: "h".repeat(29) }, "invalid"],
  ["CreateAppRequest", { name: "hello", domains: ["www.example.com"] }, "valid"],
  ["CreateAppRequest", { name: "hello", domains: ["www..com"] }, "invalid"],
  ["CreateAppRequest", { name: "hello", domains: ["a.example", "a.example"] }, "invalid"],
  ["GetAppRequest", { app }, "valid"],
  ["GetAppRequest", { app: appId }, "valid"],
  ["GetAppRequest", {}, "invalid"],
  ["GetAppRequest", { app: {} }, "invalid"],
  ["GetAppRequest", { app: { name: "hello" } }, "invalid"],
  ["ListAppsRequest", { pageSize: 1000 }, "valid"],
  ["ListAppsRequest", { pageSize: 1001 }, "invalid"],
  ["UpdateDraftRequest", { app, code: { compile } }, "valid"],
  ["UpdateDraftRequest", { app, code: {} }, "invalid"],
  ["UpdateDraftRequest", { app, config: { vars: { GREETING: "hi" } } }, "valid"],
  ["UpdateDraftRequest", { app, config: { vars: { "not a name": "hi" } } }, "invalid"],
  ["SetTrafficRequest", { app, traffic: [{ version: 1, weightPercent: 100 }] }, "valid"],
  ["SetTrafficRequest", { app, traffic: [] }, "invalid"],
  ["SetTrafficRequest", { app, traffic: [{ version: 0, weightPercent: 100 }] }, "invalid"],
  ["TailLogsRequest", { app, afterSequence: "9007199254740993" }, "valid"],
  ["CreateKeyRequest", { name: "ci" }, "invalid"],
  ["CreateKeyRequest", { name: "ci", role: "ROLE_DEVELOPER" }, "valid"],
  ["PutSecretRequest", { name: "prod/stripe", dataJson: "{}" }, "valid"],
  ["PutSecretRequest", { name: "../stripe", dataJson: "{}" }, "invalid"],
])("the schema and the server agree on %s %j", (name, json, verdict) => {
  expect({ rules: ruleVerdict(name, json), schema: schemaVerdict(name, json) }).toEqual({
    rules: verdict,
    schema: verdict,
  });
});
