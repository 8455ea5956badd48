/**
 * Source tree to artifact. The passes, in their order: read the manifest, find the start module,
 * fetch packages (only when something outside the tree is named and was not fetched before),
 * bundle without network, collect static files, write the artifact. Equal trees give equal bytes.
 */
import { createHash } from "node:crypto";
import { encodeBundle } from "../core/bundle.ts";
import { IgniteError } from "../core/errors.ts";
import type { Digest } from "../core/ids.ts";
import { diagnosticsMax } from "../core/limits.ts";
import { buildDeno, phases } from "./deno/build.ts";
import { type Diagnostic, diagnostic } from "./diagnostics.ts";
import { failed } from "./failed.ts";
import { globRule, isGlob } from "./glob.ts";
import type { Manifest } from "./manifest/manifest.ts";
import { manifestFile, parseManifest } from "./manifest/parse.ts";
import type { FileSystem } from "./ports.ts";
import { notCompiled, notServed } from "./served.ts";
import type { CompilePorts, CompileRequest, CompileResult, CompileSink } from "./request.ts";

/**
 * The workerd behaviour that artifacts of this release ask for: the last date before Node's
 * built-ins became the default, since they triple the time of a cold start. Apps that import them
 * get the flag.
 */
export const compatibilityDate = "2026-08-01";

/**
 * Compiles a tree. Mistakes in the source are a result with `ok: false`; it rejects only when
 * cancelled (the signal's reason) or when the platform is at fault (TOOL_MISSING, INTERNAL).
 */
export async function compile(
  ports: CompilePorts,
  request: CompileRequest,
  sink: CompileSink,
): Promise<CompileResult> {
  const diagnostics: Diagnostic[] = [];
  const report = (one: Diagnostic) => {
    if (diagnostics.length >= diagnosticsMax) return;
    diagnostics.push(one);
    sink.diagnostic(one);
  };
  try {
    sink.progress("manifest", 0, phases);
    const manifest = await readManifest(ports.files, request, report);
    const built = await buildDeno(ports, request, manifest, { ...sink, diagnostic: report });
    sink.progress("artifact", phases - 1, phases);
    const artifact = encodeBundle({
      runtime: "deno",
      main: built.main,
      mustUnderstand: ["deno-namespace"],
      compatibilityDate,
      compatibilityFlags: built.compatibilityFlags,
      modules: built.modules,
      assets: built.assets,
      sourceMap: built.sourceMap,
    });
    sink.progress("artifact", phases, phases);
    const digest = createHash("sha256").update(artifact).digest("hex") as Digest;
    const counts = { modules: built.modules.length, assets: built.assets.length };
    return { ok: true, artifact, digest, manifest, ...counts, diagnostics };
  } catch (error) {
    request.signal.throwIfAborted();
    const known = IgniteError.from(error);
    if (known.reason === "INTERNAL" || known.reason === "TOOL_MISSING") throw known;
    return { ok: false, reason: known.reason, message: known.message, diagnostics };
  }
}

async function readManifest(
  files: FileSystem,
  request: CompileRequest,
  report: (one: Diagnostic) => void,
): Promise<Manifest> {
  const bytes = await files.read(manifestFile);
  const result = parseManifest(new TextDecoder().decode(bytes ?? new Uint8Array(0)));
  if (!result.ok) {
    result.diagnostics.forEach(report);
    throw failed("MANIFEST_INVALID", "ignite.toml has errors.");
  }
  const { manifest } = result;
  const refusal = notServed(manifest.runtime);
  if (refusal !== undefined || manifest.runtime.kind !== "deno") {
    const message = refusal ?? notCompiled(manifest.runtime.kind);
    report(diagnostic("RUNTIME_UNSUPPORTED", message, { file: manifestFile }));
    throw failed("NOT_IMPLEMENTED", message);
  }
  warnOfSecrets(manifest, report);
  const { main, check, build } = request.override ?? {};
  for (const field of ["include", "exclude", "assets"] as const) {
    const bad = build?.[field]?.find((glob) => !isGlob(glob));
    if (bad === undefined) continue;
    throw failed("MANIFEST_INVALID", `build.${field} must be ${globRule}; "${bad}" is not.`);
  }
  return {
    ...manifest,
    runtime: {
      ...manifest.runtime,
      main: main === undefined || main === "" ? manifest.runtime.main : main,
      check: check === true || manifest.runtime.check,
    },
    build: { ...manifest.build, ...build },
  };
}

/** Otherwise the app would find out by itself that its variables are not there. */
function warnOfSecrets({ secrets }: Manifest, report: (one: Diagnostic) => void): void {
  const names = Object.keys(secrets);
  if (names.length === 0) return;
  const message = `This release keeps no secrets, so the app runs without ${names.join(", ")}.`;
  report(diagnostic("MANIFEST_FIELD", message, { severity: "warning", file: manifestFile }));
}
