/** Compiles trees from memory with the real toolchain in temporary folders: for tests. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compile } from "./compile.ts";
import { formatDiagnostic } from "./diagnostics.ts";
import { configuredRegistry, packageHostsOf } from "./deno/registries.ts";
import { prepareCompiler, type Toolchain } from "./deno/toolchain.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import type { CompileRequest, CompileResult } from "./request.ts";

/** What a test compile answers, with what was said meanwhile. */
export interface TemporaryResult {
  result: CompileResult;
  log: readonly string[];
  /** Diagnostics as people read them. */
  text: string;
}

/** Compiles trees; every one in a new folder, all with one package cache. */
export interface TemporaryCompiler {
  toolchain: Toolchain;
  compile(
    files: Readonly<Record<string, string | Uint8Array>>,
    more?: Partial<CompileRequest>,
    arrange?: (source: string) => Promise<void>,
  ): Promise<TemporaryResult>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 60_000;

/** Where tests share the downloaded esbuild. */
export const testToolchainFolder = join(tmpdir(), "ignite-test-toolchain");

/** Makes one. Where no jail can be built, tests run without; see `toolchain.sandbox`. */
export async function startTemporaryCompiler(): Promise<TemporaryCompiler> {
  const root = await mkdtemp(join(tmpdir(), "ignite-compile-"));
  const npmRegistry = await configuredRegistry();
  const directory = testToolchainFolder;
  const toolchain = await prepareCompiler({ directory, unsandboxed: true, npmRegistry });
  const cache = join(root, "cache");
  await mkdir(cache);
  return {
    toolchain,
    async compile(files, more = {}, arrange = async () => {}) {
      const work = await mkdtemp(join(root, "work-"));
      const source = join(work, "source");
      const output = join(work, "output");
      await Promise.all([mkdir(source), mkdir(output)]);
      await writeTree(source, files);
      await arrange(source);
      const log: string[] = [];
      const request: CompileRequest = {
        folders: { source, output, cache, downloads: toolchain.downloads },
        owner: "test",
        npmRegistry,
        packageHosts: toolchain.process.walled ? packageHostsOf(npmRegistry) : undefined,
        timeoutMs: TIMEOUT_MS,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...more,
      };
      const ports = { files: nodeFileSystem(source), process: toolchain.process };
      const sink = {
        log: (_: string, line: string) => void log.push(line),
        diagnostic() {},
        progress() {},
      };
      const result = await compile(ports, request, sink);
      return { result, log, text: result.diagnostics.map(formatDiagnostic).join("\n") };
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

async function writeTree(root: string, files: Readonly<Record<string, string | Uint8Array>>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}
