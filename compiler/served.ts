/** Which apps this release compiles. */
import type { ManifestRuntime } from "./manifest/manifest.ts";

/** Languages of apps that can be compiled and served. */
export const servedKinds: readonly string[] = ["deno"];

const PLACEMENT = 'This release has no containers yet, so placement = "region" cannot be served.';

/** Why apps of this runtime are not compiled; undefined when they are. */
export function notServed(runtime: ManifestRuntime): string | undefined {
  if (runtime.kind !== "deno") return notCompiled(runtime.kind);
  return runtime.placement === "region" ? PLACEMENT : undefined;
}

/** What is said of a language that is not compiled. */
export function notCompiled(kind: string): string {
  return `This release does not compile ${kind} apps.`;
}
