/**
 * The keys of `ignite.toml` and what each may hold, as data: the parser checks a file against this
 * table, and suggestions for misspelt keys come from it.
 */
import {
  bodyMbMax,
  cpuMsMax,
  memoryMbMax,
  timeoutMsMax,
  varBytesMax,
  varsMax,
} from "../../core/limits.ts";
import { globRule, isGlob } from "../glob.ts";

/** What a key may hold. */
export type Field =
  | { type: "string"; pattern?: RegExp; says?: string; oneOf?: readonly string[]; max?: number }
  | { type: "integer"; min: number; max: number }
  | { type: "boolean" }
  | { type: "strings"; max: number; pattern?: Pick<RegExp, "test">; says?: string }
  | { type: "integers"; max: number; each: { min: number; max: number } }
  | { type: "names"; max: number; value: Field; scalars?: boolean };

const PATH = {
  pattern: /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\\\0]{1,512}$/,
  says: "must be a path inside the app's folder",
};
const GLOBS: Field = {
  type: "strings",
  max: 256,
  pattern: { test: isGlob },
  says: `must be ${globRule}`,
};
const text = (max = 1_024): Field => ({ type: "string", max });
const path: Field = { type: "string", ...PATH };

/** Names of environment variables. */
export const variableName = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** By table ("" is the top of the file), then by key. */
export const fields: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  "": {
    app: {
      type: "string",
      pattern: /^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)?[a-z0-9]+(?:-[a-z0-9]+)*$/,
      says: 'must be "organization/app" or "app": lower-case letters, digits and single hyphens',
    },
    runtime: {
      type: "string",
      oneOf: ["deno", "rust", "python", "go", "image", "component"],
    },
    main: path,
    placement: { type: "string", oneOf: ["edge", "region"] },
  },
  deno: { placement: { type: "string", oneOf: ["edge", "region"] } },
  rust: { target: { type: "string", oneOf: ["wasm", "native"] }, package: text(128) },
  python: {
    version: {
      type: "string",
      pattern: /^\d+(?:\.\d+){0,2}$/,
      says: 'must be a version such as "3.13"',
    },
  },
  go: { main: path },
  image: {
    image_ref: text(512),
    dockerfile: path,
    git: {
      type: "string",
      pattern: /^https:\/\/[!-~]+$/,
      says: 'must be "https://…", with "#ref:folder" at its end where needed',
    },
    ports: { type: "integers", max: 16, each: { min: 1, max: 65_535 } },
    health_path: { type: "string", pattern: /^\/[!-~]*$/, says: "must begin with /" },
    registry_secret_ref: text(256),
  },
  vars: { "*": { type: "names", max: varsMax, value: text(varBytesMax), scalars: true } },
  secrets: {
    "*": {
      type: "names",
      max: varsMax,
      value: {
        type: "string",
        pattern: /^[^#@\s]{1,256}(?:#[^#@\s]{1,256})?(?:@[1-9]\d{0,9})?$/,
        says: 'must be "name", "name#field" or "name#field@version"',
      },
    },
  },
  limits: {
    memory_mb: { type: "integer", min: 16, max: memoryMbMax },
    cpu_ms: { type: "integer", min: 1, max: cpuMsMax },
    timeout_ms: { type: "integer", min: 1, max: timeoutMsMax },
    body_mb: { type: "integer", min: 1, max: bodyMbMax },
  },
  scaling: {
    min: { type: "integer", min: 0, max: 1_000 },
    max: { type: "integer", min: 1, max: 1_000 },
    concurrency: { type: "integer", min: 1, max: 10_000 },
    idle_seconds: { type: "integer", min: 1, max: 86_400 },
  },
  access: {
    policy: { type: "string", oneOf: ["public", "key", "jwt"] },
    issuer: text(),
    audience: text(),
    jwks_url: {
      type: "string",
      pattern: /^https:\/\/[!-~]+$/,
      says: "must be an https:// address",
    },
    methods: {
      type: "strings",
      max: 32,
      pattern: /^[A-Z]{1,32}$/,
      says: "must be methods in upper case",
    },
  },
  schema: { input: path, output: path },
  build: {
    include: GLOBS,
    exclude: GLOBS,
    assets: GLOBS,
    args: { type: "strings", max: 64 },
    check: { type: "boolean" },
  },
};
