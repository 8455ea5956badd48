/** Fetches packages into an organization's cache, and remembers for which configuration. */
import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Exit } from "../ports.ts";
import type { CompilePorts, CompileRequest, CompileSink } from "../request.ts";
import { type DenoStep, fetchCommand } from "./bundle.ts";

/** One fetch. */
export interface PackageFetch {
  ports: CompilePorts;
  step: DenoStep;
  request: CompileRequest;
  sink: CompileSink;
  /** What it is remembered under; see dependencies.ts. */
  key: string;
}

/** Whether a fetch with this key succeeded into this cache before. */
export async function wereFetched(cache: string, key: string): Promise<boolean> {
  return access(marker(cache, key)).then(
    () => true,
    () => false,
  );
}

/**
 * Runs deno with the proxy to package registries as its only network; with the network as it is
 * where the request names no registries.
 */
export async function fetchPackages(fetch: PackageFetch): Promise<Exit> {
  const { ports, step, request } = fetch;
  if (request.packageHosts === undefined) return ports.process.run(fetchCommand(step, undefined));
  const folder = await mkdtemp(join(tmpdir(), "ignite-proxy-")); // Paths of sockets must be short
  try {
    return await fetchThrough(join(folder, "s"), fetch);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fetchThrough(socket: string, fetch: PackageFetch): Promise<Exit> {
  const { ports, step, request, sink, key } = fetch;
  const called = new Set<string>();
  const { startPackageProxy } = await import("./package-proxy.ts"); // It brings an HTTP client
  await using _proxy = await startPackageProxy({
    socket,
    hosts: request.packageHosts ?? [],
    npmRegistry: request.npmRegistry,
    onCall(host, allowed) {
      if (called.has(host)) return;
      called.add(host);
      sink.log("system", allowed ? `packages from ${host}` : `refused a connection to ${host}`);
    },
  });
  const exit = await ports.process.run(fetchCommand(step, socket));
  if (exit.code === 0) await remember(step.folders.cache, key);
  return exit;
}

async function remember(cache: string, key: string): Promise<void> {
  const path = marker(cache, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "");
}

/** Beside the cache, where the jailed process cannot write. */
function marker(cache: string, key: string): string {
  return join(`${cache}.fetched`, key);
}
