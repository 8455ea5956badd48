/** A manifest in the terms of the API. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ManifestImage, ManifestRuntime } from "../../compiler/manifest/manifest.ts";
import { IgniteError } from "../../core/errors.ts";
import type { CodeSchema, RuntimeSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import {
  AccessPolicy,
  Placement,
  RustRuntime_Target,
} from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { Blob256 } from "../../sdk/archive.ts";
import type { ConfigInit } from "../../sdk/deploy.ts";
import type { AppManifest } from "./manifest.ts";

/** The code of a draft: the manifest's runtime on an uploaded source. */
export function codeOf(
  runtime: ManifestRuntime,
  source: Blob256,
): MessageInitShape<typeof CodeSchema> {
  const blob = { digest: source.digest, sizeBytes: BigInt(source.bytes.length) };
  if (runtime.kind === "image") return { kind: { case: "image", value: imageOf(runtime, blob) } };
  return { kind: { case: "compile", value: { runtime: runtimeOf(runtime), source: blob } } };
}

function runtimeOf(
  runtime: Exclude<ManifestRuntime, ManifestImage>,
): MessageInitShape<typeof RuntimeSchema> {
  switch (runtime.kind) {
    case "deno": {
      const placement = runtime.placement === "region" ? Placement.REGION : Placement.EDGE;
      const value = { main: runtime.main ?? "", placement, typeCheck: runtime.check };
      return { language: { case: "deno", value } };
    }
    case "rust": {
      const { NATIVE, WASM } = RustRuntime_Target;
      const target = runtime.target === "native" ? NATIVE : WASM;
      return { language: { case: "rust", value: { target, packageName: runtime.package ?? "" } } };
    }
    case "python": {
      const value = { main: runtime.main ?? "", pythonVersion: runtime.version ?? "" };
      return { language: { case: "python", value } };
    }
    case "go":
      return { language: { case: "go", value: { main: runtime.main ?? "" } } };
    case "component":
      return { language: { case: "component", value: { main: runtime.main ?? "" } } };
  }
}

function imageOf(image: ManifestImage, archive: { digest: string; sizeBytes: bigint }) {
  return {
    origin: originOf(image, archive),
    ports: [...image.ports],
    healthPath: image.healthPath ?? "",
    registrySecretRef: image.registrySecretRef ?? "",
    dockerfile: image.dockerfile ?? "",
  };
}

function originOf(image: ManifestImage, archive: { digest: string; sizeBytes: bigint }) {
  if (image.imageRef !== undefined) {
    return { case: "prebuilt" as const, value: { imageRef: image.imageRef } };
  }
  if (image.git === undefined) return { case: "fromCode" as const, value: { archive } };
  const [url = "", fragment = ""] = image.git.split("#");
  const [ref = "", subdir = ""] = fragment.split(":");
  return { case: "fromGit" as const, value: { url, ref, subdir } };
}

/** The configuration of a draft. Fails with MANIFEST_INVALID when a schema file cannot be read. */
export async function configOf(folder: string, manifest: AppManifest): Promise<ConfigInit> {
  const { min, max, ...scaling } = manifest.scaling;
  const { include, exclude, args } = manifest.build;
  return {
    vars: manifest.vars,
    secrets: Object.fromEntries(
      Object.entries(manifest.secrets).map(([variable, { name, field, version }]) => [
        variable,
        { name, field: field ?? "", version: version ?? 0 },
      ]),
    ),
    limits: manifest.limits,
    scaling: { ...scaling, minInstances: min ?? 0, maxInstances: max ?? 0 },
    ...(manifest.access && { access: accessOf(manifest.access) }),
    schema: {
      inputJson: await readSchema(folder, manifest.schema.input),
      outputJson: await readSchema(folder, manifest.schema.output),
    },
    build: { include: [...include], exclude: [...exclude], args: [...args] },
  };
}

const POLICIES = {
  public: AccessPolicy.PUBLIC,
  key: AccessPolicy.KEY,
  jwt: AccessPolicy.JWT,
} as const;

function accessOf(access: NonNullable<AppManifest["access"]>) {
  const { policy, issuer = "", audience = "", jwksUrl = "", methods } = access;
  const base = { policy: POLICIES[policy], methods: [...methods] };
  return policy === "jwt" ? { ...base, jwt: { issuer, audience, jwksUrl } } : base;
}

async function readSchema(folder: string, path: string | undefined): Promise<string> {
  if (path === undefined) return "";
  try {
    const text = await readFile(join(folder, path), "utf8");
    JSON.parse(text);
    return text;
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = absent ? "it is not there" : (error as Error).message;
    throw new IgniteError({
      code: "invalid_argument",
      reason: "MANIFEST_INVALID",
      message: `The schema ${path} cannot be used: ${why}.`,
      hint: "[schema] in ignite.toml names JSON files inside the app's folder.",
      cause: error,
    });
  }
}
