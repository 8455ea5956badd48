/**
 * Compiles one folder again and again, for `ignite dev`: in place, with the developer's own
 * rights and network, since the source is the developer's own.
 */
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileTimeoutMs } from "../core/limits.ts";
import { compile } from "./compile.ts";
import { configuredRegistry } from "./deno/registries.ts";
import { prepareDevCompiler } from "./deno/toolchain.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import type { CompileRequest, CompileResult, CompileSink } from "./request.ts";

/** A compiler that is bound to a folder. */
export interface IncrementalCompiler {
  /**
   * Compiles the folder as it is now. Mistakes in it are a result with `ok: false`. A rebuild that
   * is overtaken by the next one rejects with an AbortError.
   */
  rebuild(sink?: Partial<CompileSink>): Promise<CompileResult>;
  /** Ends what runs and removes temporary files. */
  dispose(): Promise<void>;
}

/** Folders that never hold source. */
const SKIPPED = ["node_modules", ".git", ".ignite", ".wrangler"];

/** Makes one for `dir`. `cacheDir` is kept between runs. Fails with TOOL_MISSING. */
export async function createIncrementalCompiler(options: {
  dir: string;
  cacheDir: string;
}): Promise<IncrementalCompiler> {
  const { cacheDir } = options;
  const dir = await realpath(options.dir); // As deno will name it
  const npmRegistry = await configuredRegistry();
  const toolchain = await prepareDevCompiler({ directory: cacheDir, npmRegistry });
  const output = await realpath(await mkdtemp(join(tmpdir(), "ignite-dev-")));
  const cache = join(cacheDir, "packages");
  await mkdir(cache, { recursive: true });
  const ports = { files: nodeFileSystem(dir, SKIPPED), process: toolchain.process };
  let current: AbortController | undefined;
  return {
    async rebuild(sink = {}) {
      current?.abort();
      current = new AbortController();
      const request: CompileRequest = {
        folders: { source: dir, output, cache, downloads: toolchain.downloads },
        owner: "dev",
        npmRegistry,
        packageHosts: undefined,
        timeoutMs: compileTimeoutMs,
        signal: current.signal,
      };
      return compile(ports, request, { ...quiet, ...sink });
    },
    async dispose() {
      current?.abort();
      await rm(output, { recursive: true, force: true });
    },
  };
}

const quiet: CompileSink = { log() {}, diagnostic() {}, progress() {} };
