/** A whole platform under measurement: the harness's, with its processes told apart. */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Ignite } from "../../sdk/client.ts";
import { startPlatform, type TestPlatform } from "../harness/platform.ts";
import { greeting } from "./peers/peer.ts";
import { type ProcessEntry, processTree } from "./processes.ts";

/** Which processes of a platform. `rest` is neither front nor cell. */
export type PlatformPart = "front" | "cells" | "rest";

/** A running platform. */
export interface BenchPlatform extends TestPlatform {
  port: number;
  /** A client with the first key. */
  client: Ignite;
  /** Its process ids now. */
  pids(): Record<PlatformPart, number[]>;
  /** All its processes now. */
  tree(): ProcessEntry[];
  /** The Host header of an app; `name` is `org/app`. */
  hostOf(name: string): string;
  /** Deploys a module by the command line, with the first key unless another is given. */
  deploy(name: string, source: string, options?: DeployOptions): Promise<DeployedVersion>;
}

/** With whose key, and with which further flags. */
export interface DeployOptions {
  key?: string;
  flags?: readonly string[];
}

/** What `ignite deploy --json` says. */
export interface DeployedVersion {
  app: string;
  version: number;
}

/** The app that all warm numbers are about: answers what the peers answer. */
export const greetingApp = `export default { fetch() { return new Response(${JSON.stringify(greeting)}); } };\n`;

/** Starts one with a data folder of its own, or of an earlier one. */
export async function startBenchPlatform(
  options: { dataDir?: string } = {},
): Promise<BenchPlatform> {
  const platform = await startPlatform(options);
  const port = Number(new URL(platform.url).port);
  const tree = () => processTree(platform.pid);
  return {
    ...platform,
    port,
    client: new Ignite({ url: platform.url, key: platform.key }),
    tree,
    pids: () => byPart(tree()),
    hostOf: (name) => `${name.split("/").toReversed().join("--")}.localhost:${port}`,
    deploy: (name, source, deployOptions = {}) =>
      deploy(platform, { name, source, ...deployOptions }),
  };
}

/** Writes an app's folder; `name` is `org/app`. */
export async function writeApp(folder: string, name: string, source: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "main.ts"), source);
  const manifest = { app: name, runtime: "deno", main: "main.ts" };
  const lines = Object.entries(manifest).map(([field, value]) => `${field} = "${value}"\n`);
  await writeFile(join(folder, "ignite.toml"), lines.join(""));
}

async function deploy(
  platform: TestPlatform,
  app: { name: string; source: string } & DeployOptions,
): Promise<DeployedVersion> {
  const { name, source, key = platform.key, flags = [] } = app;
  const folder = await mkdtemp(join(platform.dataDir, "app-"));
  await writeApp(folder, name, source);
  const connection = ["--api", platform.url, "--key", key];
  const words = ["deploy", "--json", ...connection, ...flags];
  const { code, stdout, stderr } = await platform.ignite(words, { cwd: folder });
  if (code !== 0) throw new Error(`ignite deploy ${name} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as DeployedVersion;
}

function byPart(tree: readonly ProcessEntry[]): Record<PlatformPart, number[]> {
  const parts: Record<PlatformPart, number[]> = { front: [], cells: [], rest: [] };
  for (const entry of tree) parts[partOf(entry)].push(entry.pid);
  return parts;
}

function partOf({ name, command }: ProcessEntry): PlatformPart {
  if (name === "haproxy") return "front";
  return name === "workerd" && /\/cells\//.test(command) ? "cells" : "rest";
}
