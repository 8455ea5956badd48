/** Builds a Deno app: detect, fetch, bundle, read the output back as untrusted, warn. */
import type { BundlePart, ModuleType } from "../../core/bundle.ts";
import { IgniteError } from "../../core/errors.ts";
import { artifactBytesMax, sourceMapBytesMax } from "../../core/limits.ts";
import { type Diagnostic, diagnostic } from "../diagnostics.ts";
import { failed } from "../failed.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { manifestFile } from "../manifest/parse.ts";
import { nodeFileSystem } from "../node-file-system.ts";
import type { Command, Exit, FileSystem } from "../ports.ts";
import type { CompilePorts, CompileRequest, CompileSink } from "../request.ts";
import { type Asset, collectAssets } from "./assets.ts";
import { bundleCommand, bundleFile, type DenoStep } from "./bundle.ts";
import { type Dependencies, findDependencies } from "./dependencies.ts";
import { detectDenoApp } from "./detect.ts";
import { fetchPackages, wereFetched } from "./fetch.ts";
import { DenoMessages } from "./messages.ts";
import { mainModule, type Output, readOutput } from "./output.ts";
import { guestCache, guestOutput, guestSource } from "./guest-paths.ts";
import { importHostsOf } from "./registries.ts";
import { readSources } from "./sources.ts";
import { staticSiteModule } from "./static-site.ts";
import { findUnsupported } from "./unsupported.ts";
import { findWasmImports } from "./wasm.ts";

/** Passes that progress is counted in: manifest, packages, bundle, artifact. */
export const phases = 4;

/** The parts of an artifact. */
export interface DenoBuild {
  main: string;
  modules: readonly BundlePart<{ type: ModuleType }>[];
  assets: readonly Asset[];
  sourceMap: Uint8Array | undefined;
  compatibilityFlags: readonly string[];
}

/** Builds. Fails with COMPILE_FAILED, COMPILE_TIMED_OUT or COMPILE_OUT_OF_MEMORY. */
export async function buildDeno(
  ports: CompilePorts,
  request: CompileRequest,
  manifest: Manifest,
  sink: CompileSink,
): Promise<DenoBuild> {
  const { runtime, build } = manifest;
  const wanted = runtime.kind === "deno" ? runtime.main : undefined;
  const hasAssets = build.assets.length + build.include.length > 0;
  const app = detectDenoApp(await ports.files.list(), wanted, hasAssets);
  if ("id" in app) return fail(sink, [app]);
  const { assets, diagnostics } = await collectAssets(ports.files, build, app.kind === "static");
  diagnostics.forEach(sink.diagnostic);
  if (diagnostics.some((one) => one.severity === "error")) return fail(sink, []);
  if (build.args.length > 0) sink.diagnostic(unusedArgs());
  if (app.kind === "static") return staticBuild(assets);
  const check = runtime.kind === "deno" && runtime.check;
  const output = await bundle(ports, request, { main: app.main, check }, sink);
  warn(output, app.main, sink);
  const { modules, sourceMap, usesNode } = output;
  const compatibilityFlags = usesNode ? ["nodejs_compat"] : [];
  return { main: mainModule, modules, assets, sourceMap, compatibilityFlags };
}

function unusedArgs(): Diagnostic {
  const message = "[build] args has no meaning for deno apps and is not used.";
  return diagnostic("MANIFEST_FIELD", message, { severity: "warning", file: manifestFile });
}

function staticBuild(assets: readonly Asset[]): DenoBuild {
  const bytes = new TextEncoder().encode(staticSiteModule(assets));
  const modules = [{ name: mainModule, bytes, meta: { type: "js" } as const }];
  return { main: mainModule, modules, assets, sourceMap: undefined, compatibilityFlags: [] };
}

async function bundle(
  ports: CompilePorts,
  request: CompileRequest,
  app: { main: string; check: boolean },
  sink: CompileSink,
): Promise<Output> {
  const texts = await readSources(ports.files);
  const dependencies = findDependencies(texts);
  const { folders, owner, npmRegistry, jsrRegistry, packageHosts, signal } = request;
  const { lockFile } = dependencies;
  const external = findWasmImports(texts);
  const importHosts = packageHosts && importHostsOf(packageHosts, npmRegistry, jsrRegistry);
  const bounds = { importHosts, npmRegistry, jsrRegistry, signal };
  const platform = "browser" as const;
  const common = { folders, ...app, platform, external, lockFile, owner, ...bounds };
  const deadlineMs = performance.now() + request.timeoutMs;
  const context = { ports, request, sink, common, deadlineMs };
  await bundleStep(context, dependencies);
  const output = await readBack(ports, request, app.main);
  if (!output.usesNode || !dependencies.external) return output;
  // Packages see at run time that there is Node, and then want their parts for it
  const forNode: StepContext["common"] = { ...common, platform: "deno", check: false };
  await bundleStep({ ...context, common: forNode }, dependencies);
  return { ...(await readBack(ports, request, app.main)), usesNode: true };
}

/** Bundles, fetching packages first where that was not done before. */
async function bundleStep(context: StepContext, dependencies: Dependencies): Promise<void> {
  const { ports, request, sink } = context;
  const skip =
    request.packageHosts === undefined ||
    !dependencies.external ||
    (await wereFetched(request.folders.cache, dependencies.key));
  if (!skip) await fetchStep(context, dependencies);
  sink.progress("bundle", 2, phases);
  const attempt = () => runDeno(context, (step) => ports.process.run(bundleCommand(step)));
  const first = await attempt();
  if (first.exit.code === 0) return;
  if (!skip || !isAboutPackages(first.diagnostics)) return fail(sink, first.diagnostics);
  // The cache lost something, the look missed it, or bundling blames every package for one
  await fetchStep(context, dependencies);
  const second = await attempt();
  if (second.exit.code !== 0) fail(sink, second.diagnostics);
}

interface StepContext {
  ports: CompilePorts;
  request: CompileRequest;
  sink: CompileSink;
  /** When the whole compile must be done, on the clock of `performance.now()`. */
  deadlineMs: number;
  common: Omit<DenoStep, "onLine" | "timeoutMs">;
}

async function fetchStep(context: StepContext, dependencies: Dependencies): Promise<void> {
  const { ports, request, sink } = context;
  sink.progress("packages", 1, phases);
  const { key } = dependencies;
  const fetch = (step: DenoStep) => fetchPackages({ ports, step, request, sink, key });
  const done = await runDeno(context, fetch, "fetch");
  if (done.exit.code !== 0) fail(sink, done.diagnostics);
}

/** Runs one step, passing its lines on but for those that become diagnostics. */
async function runDeno(
  context: StepContext,
  run: (step: DenoStep) => Promise<Exit>,
  name: "fetch" | "bundle" = "bundle",
): Promise<{ exit: Exit; diagnostics: Diagnostic[] }> {
  const { ports, request, sink, common } = context;
  const messages = new DenoMessages(name);
  const held: Parameters<Command["onLine"]>[] = [];
  const onLine: Command["onLine"] = (stream, line) => {
    if (messages.add(line)) held.push([stream, line]);
    else sink.log(stream, line);
  };
  const timeoutMs = Math.max(1, Math.round(context.deadlineMs - performance.now()));
  const exit = await run({ ...common, timeoutMs, onLine });
  if (exit.stopped !== undefined) throw stoppedError(exit.stopped, request);
  const decoder = new TextDecoder();
  const read = async (path: string) => {
    const bytes = await ports.files.read(path);
    return bytes && decoder.decode(bytes);
  };
  const diagnostics = exit.code === 0 ? [] : await messages.diagnostics(read);
  const isClear = diagnostics.length > 0 && diagnostics.every(({ id }) => id !== "TOOL_MESSAGE");
  if (!isClear) for (const [stream, line] of held) sink.log(stream, line);
  return { exit, diagnostics };
}

/** Whether missing packages may be behind it. */
function isAboutPackages(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((one) => one.id === "PACKAGE_FETCH");
}

async function readBack(
  ports: CompilePorts,
  request: CompileRequest,
  main: string,
): Promise<Output> {
  const output = nodeFileSystem(request.folders.output);
  const decoder = new TextDecoder();
  const code = await readBounded(output, bundleFile, artifactBytesMax);
  const map = await readBounded(output, `${bundleFile}.map`, sourceMapBytesMax);
  if (code === undefined) throw failed("COMPILE_FAILED", "The compiler wrote no module.");
  const inside = { source: guestSource, output: guestOutput, cache: guestCache };
  return readOutput({
    code: decoder.decode(code),
    sourceMap: map && decoder.decode(map),
    main,
    folders: ports.process.walled ? inside : request.folders,
    files: ports.files,
  });
}

/** Texts beyond some size end the whole process, not just the thread that looks at them. */
async function readBounded(files: FileSystem, path: string, bytesMax: number) {
  const size = (await files.size(path)) ?? 0;
  if (size <= bytesMax) return files.read(path);
  const message = `The bundled app's ${path} has ${size} bytes; ${bytesMax} are allowed.`;
  throw failed("BUNDLE_TOO_LARGE", message);
}

function warn(output: Output, main: string, sink: CompileSink): void {
  for (const one of findUnsupported(output.sources)) sink.diagnostic(one);
  if (output.hasHandler) return;
  const message = "The start module neither has a default export nor calls Deno.serve.";
  const fix = 'Add: export default { fetch(request) { return new Response("hello"); } };';
  sink.diagnostic(
    diagnostic("MAIN_WITHOUT_HANDLER", message, { severity: "warning", file: main, fix }),
  );
}

function fail(sink: CompileSink, diagnostics: readonly Diagnostic[]): never {
  diagnostics.forEach(sink.diagnostic);
  const first = diagnostics.find((one) => one.severity === "error");
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : "";
  const line = first === undefined || first.line === 0 ? "" : `:${first.line}`;
  const place = first === undefined || first.file === "" ? "" : `${first.file}${line}: `;
  const message =
    first === undefined ? "The source has errors." : `${place}${first.message}${more}`;
  throw failed("COMPILE_FAILED", message);
}

function stoppedError(why: NonNullable<Exit["stopped"]>, request: CompileRequest): IgniteError {
  if (why === "cancelled") request.signal.throwIfAborted();
  if (why === "timeout") {
    return failed("COMPILE_TIMED_OUT", `Compiling took longer than ${request.timeoutMs} ms.`);
  }
  if (why === "memory") return failed("COMPILE_OUT_OF_MEMORY", "Compiling needed too much memory.");
  return failed("COMPILE_FAILED", "The compiler printed too much.");
}
