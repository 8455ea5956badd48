/** The typed, normalized form of `ignite.toml`. What a file leaves out is left out here too. */

/** A whole manifest. */
export interface Manifest {
  /** `org` is absent when the file says `app = "name"` alone: then it is the caller's. */
  app: { org: string | undefined; app: string } | undefined;
  runtime: ManifestRuntime;
  vars: Readonly<Record<string, string>>;
  secrets: Readonly<Record<string, ManifestSecret>>;
  limits: ManifestLimits;
  scaling: ManifestScaling;
  access: ManifestAccess | undefined;
  /** Paths of JSON Schema files in the source tree. */
  schema: { input?: string; output?: string };
  build: ManifestBuild;
}

/** The language of an app, with the options it has there. */
export type ManifestRuntime =
  | { kind: "deno"; main: string | undefined; placement: "edge" | "region"; check: boolean }
  | { kind: "rust"; target: "wasm" | "native"; package: string | undefined }
  | { kind: "python"; main: string | undefined; version: string | undefined }
  | { kind: "go"; main: string | undefined }
  | { kind: "component"; main: string | undefined }
  | ManifestImage;

/** An image: exactly one of `imageRef`, `dockerfile` and `git`. */
export interface ManifestImage {
  kind: "image";
  imageRef: string | undefined;
  dockerfile: string | undefined;
  git: string | undefined;
  ports: readonly number[];
  healthPath: string | undefined;
  registrySecretRef: string | undefined;
}

/** `name#field@version`, taken apart. */
export interface ManifestSecret {
  name: string;
  field: string | undefined;
  version: number | undefined;
}

/** Limits of one request; see core/limits.ts. */
export interface ManifestLimits {
  memoryMb?: number;
  cpuMs?: number;
  timeoutMs?: number;
  bodyMb?: number;
}

/** How many instances run. */
export interface ManifestScaling {
  min?: number;
  max?: number;
  concurrency?: number;
  idleSeconds?: number;
}

/** Who may call. */
export interface ManifestAccess {
  policy: "public" | "key" | "jwt";
  issuer: string | undefined;
  audience: string | undefined;
  jwksUrl: string | undefined;
  methods: readonly string[];
}

/** What the compile takes from the tree. */
export interface ManifestBuild {
  include: readonly string[];
  exclude: readonly string[];
  assets: readonly string[];
  args: readonly string[];
}
