/** What a compile is asked, says meanwhile, and answers. */
import type { Reason } from "../core/errors.ts";
import type { Digest } from "../core/ids.ts";
import type { Diagnostic } from "./diagnostics.ts";
import type { Manifest, ManifestBuild } from "./manifest/manifest.ts";
import type { FileSystem, Process } from "./ports.ts";

/** What a compile needs of its surroundings. */
export interface CompilePorts {
  files: FileSystem;
  process: Process;
}

/** Where the folders of one compile are on the host. */
export interface CompileFolders {
  source: string;
  output: string;
  /** The organization's package cache. */
  cache: string;
  /** The shared esbuild, see deno/toolchain.ts. */
  downloads: string;
}

/** One compile. */
export interface CompileRequest {
  folders: CompileFolders;
  /** Name of the organization's user in the jail; equal for all its compiles. */
  owner: string;
  /** Wins over `ignite.toml`; absent fields leave its word. */
  override?: {
    main?: string | undefined;
    check?: boolean | undefined;
    build?: Partial<ManifestBuild>;
  };
  npmRegistry?: string | undefined;
  /** A mirror of jsr.io. */
  jsrRegistry?: string | undefined;
  /**
   * `host:port` that packages may come from (see deno/registries.ts); undefined where the process
   * is not walled and has the network anyway.
   */
  packageHosts: readonly string[] | undefined;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Hears what happens while it happens. */
export interface CompileSink {
  log(stream: "stdout" | "stderr" | "system", line: string): void;
  diagnostic(one: Diagnostic): void;
  progress(phase: string, done: number, total: number): void;
}

/** The artifact, or why there is none. Warnings are in both. */
export type CompileResult =
  | {
      ok: true;
      artifact: Uint8Array<ArrayBuffer>;
      digest: Digest;
      manifest: Manifest;
      modules: number;
      assets: number;
      diagnostics: readonly Diagnostic[];
    }
  | { ok: false; reason: Reason; message: string; diagnostics: readonly Diagnostic[] };
