import { type DeployPorts, pushDraft } from "../../sdk/deploy.ts";
import type { CommandContext } from "../context.ts";
import { codeOf, configOf } from "./code.ts";
import { readAppFolder } from "./folder.ts";
import { DeployProgress } from "./progress.ts";

/** A folder that is now the draft of its app. */
export interface Pushed {
  app: string;
  ports: DeployPorts;
  progress: DeployProgress;
}

/** Reads a folder and makes it the draft of its app, which is created when it is missing. */
export async function pushFolder(context: CommandContext, directory: string): Promise<Pushed> {
  const ports = await portsOf(context);
  const { app, path, manifest, source, fileCount } = await readAppFolder(context, directory);
  const [code, config] = [codeOf(manifest.runtime, source), await configOf(path, manifest)];
  const progress = new DeployProgress(context.io, app);
  const { digest, bytes } = source;
  progress.report({ step: "pack", digest, bytes: bytes.length, files: fileCount });
  await pushDraft(ports, app, { code, config, source, onProgress: progress.report });
  return { app, ports, progress };
}

/** What the steps of a deploy work with. */
export async function portsOf(context: CommandContext): Promise<DeployPorts> {
  const [connection, compute] = await Promise.all([context.connection(), context.compute()]);
  return { connection, compute };
}
