/**
 * The commands that deno is run with: fetching packages (network, by the proxy) and bundling
 * (none).
 */
import {
  compileMemoryBytesMax,
  compileLogBytesMax,
  compileProcessesMax,
} from "../../core/limits.ts";
import type { Command, Mount, ProcessLimits } from "../ports.ts";
import type { CompileFolders } from "../request.ts";
import { guestCache, guestOutput, guestProxy, guestSource } from "./guest-paths.ts";

/** What both steps need to know. */
export interface DenoStep {
  folders: CompileFolders;
  main: string;
  /** Path of the lock file in the tree; it is frozen. */
  lockFile: string | undefined;
  check: boolean;
  /** Which parts of its packages are taken, by their `browser` fields and conditions. */
  platform: "browser" | "deno";
  /** Specifiers that stay imports. */
  external: readonly string[];
  owner: string;
  /** `host:port` that modules may be imported from; undefined is deno's own list. */
  importHosts: readonly string[] | undefined;
  npmRegistry: string | undefined;
  jsrRegistry: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
  onLine: Command["onLine"];
}

/** The output of bundling, below the output folder. */
export const bundleFile = "main.js";
const FILE_BYTES_MAX = 512 * 1024 * 1024; // One file in the package cache

/** Bundles without network. */
export function bundleCommand(step: DenoStep): Command {
  const args = ["bundle", "--quiet", "--platform", step.platform, "--sourcemap=external"];
  const check = step.check ? ["--check"] : [];
  const output = ["--output", `${guestOutput}/${bundleFile}`];
  const external = step.external.flatMap((specifier) => ["--external", specifier]);
  const all = [
    ...args,
    ...external,
    ...check,
    ...dependencyFlags(step),
    ...output,
    `./${step.main}`,
  ];
  return command(step, all, []);
}

/** Fetches what the main module needs into the cache, by the proxy at `proxySocket` if any. */
export function fetchCommand(step: DenoStep, proxySocket: string | undefined): Command {
  const args = ["cache", ...dependencyFlags(step), `./${step.main}`];
  if (proxySocket === undefined) return command(step, args, []);
  const socket: Mount = { host: proxySocket, guest: guestProxy, writable: false };
  const made = command(step, args, [socket]);
  const proxy = `unix:${guestProxy}`;
  return { ...made, env: { ...made.env, HTTPS_PROXY: proxy, HTTP_PROXY: proxy } };
}

/** No folder of packages is ever made, which also means that no lifecycle script can run. */
function dependencyFlags(step: DenoStep): string[] {
  const { lockFile, importHosts } = step;
  const frozen = [`--lock=${lockFile}`, "--frozen-lockfile=true"];
  const hosts = importHosts === undefined ? [] : [`--allow-import=${importHosts.join(",")}`];
  return [
    "--node-modules-dir=none",
    ...hosts,
    ...(lockFile === undefined ? ["--no-lock"] : frozen),
  ];
}

function command(step: DenoStep, args: readonly string[], more: readonly Mount[]): Command {
  const { folders } = step;
  return {
    args,
    cwd: guestSource,
    env: {
      DENO_DIR: guestCache,
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
      ...(step.npmRegistry === undefined ? {} : { NPM_CONFIG_REGISTRY: step.npmRegistry }),
      ...(step.jsrRegistry === undefined ? {} : { JSR_URL: step.jsrRegistry }),
    },
    mounts: [
      { host: folders.source, guest: guestSource, writable: false },
      { host: folders.output, guest: guestOutput, writable: true },
      { host: folders.cache, guest: guestCache, writable: true },
      { host: folders.downloads, guest: `${guestCache}/dl`, writable: false },
      ...more,
    ],
    limits: limits(step.timeoutMs),
    owner: step.owner,
    signal: step.signal,
    onLine: step.onLine,
  };
}

function limits(timeoutMs: number): ProcessLimits {
  return {
    timeoutMs,
    memoryBytes: compileMemoryBytesMax,
    processes: compileProcessesMax,
    fileBytes: FILE_BYTES_MAX,
    logBytes: compileLogBytesMax,
  };
}
