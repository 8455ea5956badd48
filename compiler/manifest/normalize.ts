/** Turns checked TOML into a Manifest. Every value was held against its field before. */
import type { Manifest, ManifestBuild, ManifestRuntime, ManifestSecret } from "./manifest.ts";

/** `ignite.toml` as the TOML parser gives it. */
export interface RawManifest {
  app?: string;
  runtime?: string;
  main?: string;
  placement?: string;
  [table: string]: unknown;
  deno?: Table;
  rust?: Table;
  python?: Table;
  go?: Table;
  image?: Table;
  vars?: Table;
  secrets?: Table;
  limits?: Table;
  scaling?: Table;
  access?: Table;
  schema?: Table;
  build?: Table;
}

type Table = Record<string, unknown>;

/** The manifest of a file without complaints. */
export function normalize(raw: RawManifest): Manifest {
  return {
    app: raw.app === undefined ? undefined : splitApp(raw.app),
    runtime: runtimeOf(raw),
    vars: mapValues(raw.vars, String),
    secrets: mapValues(raw.secrets, (value) => secretOf(String(value))),
    limits: camelKeys(raw.limits),
    scaling: camelKeys(raw.scaling),
    access: accessOf(raw.access),
    schema: { ...raw.schema },
    build: buildOf(raw.build),
  };
}

function splitApp(text: string): { org: string | undefined; app: string } {
  const at = text.indexOf("/");
  return at < 0
    ? { org: undefined, app: text }
    : { org: text.slice(0, at), app: text.slice(at + 1) };
}

function runtimeOf(raw: RawManifest): ManifestRuntime {
  const main = raw.main;
  switch (raw.runtime ?? "deno") {
    case "rust": {
      const target = raw.rust?.["target"] === "native" ? "native" : "wasm";
      return { kind: "rust", target, package: text(raw.rust, "package") };
    }
    case "python":
      return { kind: "python", main, version: text(raw.python, "version") };
    case "go":
      return { kind: "go", main: text(raw.go, "main") ?? main };
    case "component":
      return { kind: "component", main };
    case "image":
      return {
        kind: "image",
        imageRef: text(raw.image, "image_ref"),
        dockerfile: text(raw.image, "dockerfile"),
        git: text(raw.image, "git"),
        ports: (raw.image?.["ports"] as number[] | undefined) ?? [],
        healthPath: text(raw.image, "health_path"),
        registrySecretRef: text(raw.image, "registry_secret_ref"),
      };
    default: {
      const placement = text(raw.deno, "placement") ?? raw.placement;
      const check = raw.build?.["check"] === true;
      return { kind: "deno", main, placement: placement === "region" ? "region" : "edge", check };
    }
  }
}

function accessOf(table: Table | undefined): Manifest["access"] {
  if (table === undefined) return undefined;
  return {
    policy: (table["policy"] as "public" | "key" | "jwt" | undefined) ?? "public",
    issuer: text(table, "issuer"),
    audience: text(table, "audience"),
    jwksUrl: text(table, "jwks_url"),
    methods: (table["methods"] as string[] | undefined) ?? [],
  };
}

function buildOf(table: Table | undefined): ManifestBuild {
  const list = (key: string) => (table?.[key] as string[] | undefined) ?? [];
  const [include, exclude, assets, args] = ["include", "exclude", "assets", "args"].map(list);
  return { include: include ?? [], exclude: exclude ?? [], assets: assets ?? [], args: args ?? [] };
}

/** Reads `name#field@version`. */
function secretOf(reference: string): ManifestSecret {
  const [, name = "", field, version] = /^([^#@]+)(?:#([^@]+))?(?:@(\d+))?$/.exec(reference) ?? [];
  return { name, field, version: version === undefined ? undefined : Number(version) };
}

function text(table: Table | undefined, key: string): string | undefined {
  return table?.[key] as string | undefined;
}

function mapValues<Out>(table: Table | undefined, map: (value: unknown) => Out) {
  return Object.fromEntries(Object.entries(table ?? {}).map(([key, value]) => [key, map(value)]));
}

/** `memory_mb` becomes `memoryMb`. */
function camelKeys(table: Table | undefined): Record<string, number> {
  const camel = (key: string) => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const entries = Object.entries(table ?? {}).map(([key, value]) => [camel(key), Number(value)]);
  return Object.fromEntries(entries) as Record<string, number>;
}
