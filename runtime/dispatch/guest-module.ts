/** Turns a bundle into what the Worker Loader takes: the app's modules and ours around them. */
import guestSource from "ignite-guest";
import denoSource from "ignite-guest-deno";
import type { Bundle, BundleModule } from "../../core/bundle.ts";
import { IgniteError } from "../../core/errors.ts";

/** Names that an app's modules may not have. */
const RESERVED_PREFIX = "ignite:";
const MAIN_NAME = `${RESERVED_PREFIX}main.js`;
const GUEST_NAME = `${RESERVED_PREFIX}guest.js`;
const DENO_NAME = `${RESERVED_PREFIX}deno.js`;
const FILES_NAME = `${RESERVED_PREFIX}files.json`;
const FILE_BYTES_NAME = `${RESERVED_PREFIX}files.bin`;
/** Beyond this, files stay out of the isolate, whose idle memory is bounded. */
const EMBEDDED_BYTES_MAX = 256 * 1024;
const ALS_FLAG = "nodejs_als";
/** Costs each request a few microseconds. */
const SIGNAL_FLAG = "enable_request_signal";

/** What is particular to one isolate. */
export interface GuestSettings {
  logToken: string;
  vars: Readonly<Record<string, string>>;
  /** The network and the static files. */
  outbound: Fetcher;
  assets: () => Fetcher;
}

/** The loader's description of an isolate. Fails with BUNDLE_REJECTED. */
export function workerCodeOf(bundle: Bundle, settings: GuestSettings): WorkerLoaderWorkerCode {
  const { index } = bundle;
  const modules: Record<string, WorkerLoaderModule> = {};
  for (const module of index.modules) {
    if (module.name.startsWith(RESERVED_PREFIX)) throw reservedName(module.name);
    modules[module.name] = moduleOf(bundle, module);
  }
  // What no code names is left out, since a cold start pays for every module
  const names = (word: string) => Object.values(modules).some(({ js }) => js?.includes(word));
  const [logs, deno] = [names("console"), names("Deno")];
  const flags = names("signal") ? [ALS_FLAG, SIGNAL_FLAG] : [ALS_FLAG];
  const files = addFiles(modules, bundle);
  modules[MAIN_NAME] = { js: mainSource(index.main, { ...settings, logs, deno, files }) };
  modules[GUEST_NAME] = { js: guestSource };
  if (deno) modules[DENO_NAME] = { js: denoSource };
  return {
    compatibilityDate: index.compatibilityDate,
    compatibilityFlags: [...new Set([...flags, ...index.compatibilityFlags])],
    mainModule: MAIN_NAME,
    modules,
    env: files === "index" ? { ...settings.vars, IGNITE_ASSETS: settings.assets() } : settings.vars,
    globalOutbound: settings.outbound,
  };
}

/** What of ours the isolate gets. */
interface Uses {
  logs: boolean;
  deno: boolean;
  files: Files;
}

/** How much of the static files is in the isolate. */
type Files = "none" | "index" | "all";

/** Adds the index of the static files, and their bytes when they are few. */
function addFiles(modules: Record<string, WorkerLoaderModule>, bundle: Bundle): Files {
  const { assets } = bundle.index;
  if (assets.length === 0) return "none";
  const places: Record<string, [number, number]> = {};
  let bytes = 0;
  for (const { name, length } of assets) {
    places[name] = [bytes, length];
    bytes += length;
  }
  modules[FILES_NAME] = { json: places };
  if (bytes > EMBEDDED_BYTES_MAX) return "index";
  const all = new Uint8Array(bytes);
  for (const asset of assets) all.set(bundle.bytesOf(asset), places[asset.name]?.[0] ?? 0);
  modules[FILE_BYTES_NAME] = { data: all.buffer };
  return "all";
}

/** The main module: ours first, so that console and `Deno` are in place, then the app's. */
function mainSource(
  main: string,
  { logToken, vars, logs, deno, files }: GuestSettings & Uses,
): string {
  const text = JSON.stringify;
  const lines = [`import { boot, IgniteControl } from ${text(GUEST_NAME)};`];
  if (logs) lines.push('import { AsyncLocalStorage } from "node:async_hooks";');
  if (deno) lines.push(`import { installDeno } from ${text(DENO_NAME)};`);
  if (files !== "none") lines.push(`import files from ${text(FILES_NAME)};`);
  if (files === "all") lines.push(`import fileBytes from ${text(FILE_BYTES_NAME)};`);
  const fields = [
    `logToken: ${text(logToken)}`,
    `vars: ${text(vars)}`,
    files === "none" ? "files: {}" : "files",
    files === "all" ? "fileBytes" : "fileBytes: undefined",
    deno ? "deno: installDeno" : "deno: undefined",
    logs ? "storage: new AsyncLocalStorage()" : "storage: undefined",
  ];
  lines.push(
    `export default await boot({ ${fields.join(", ")} }, () => import(${text(`/${main}`)}));`,
    "export { IgniteControl };",
  );
  return lines.join("\n");
}

function moduleOf(bundle: Bundle, module: BundleModule): WorkerLoaderModule {
  const bytes = bundle.bytesOf(module);
  switch (module.type) {
    case "js":
      return { js: new TextDecoder().decode(bytes) };
    case "text":
      return { text: new TextDecoder().decode(bytes) };
    case "json":
      return { json: JSON.parse(new TextDecoder().decode(bytes)) };
    case "data":
      return { data: bytes.slice().buffer };
    case "wasm":
      return { wasm: bytes.slice().buffer };
  }
}

function reservedName(name: string): IgniteError {
  return new IgniteError({
    code: "failed_precondition",
    reason: "BUNDLE_REJECTED",
    message: `A module may not be named "${name}".`,
  });
}
