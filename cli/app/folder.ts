/** An app's folder, ready to be uploaded. */
import { notServed } from "../../compiler/served.ts";
import { sourceBytesMax } from "../../core/limits.ts";
import { IgniteError } from "../../core/errors.ts";
import { type Blob256, packSource } from "../../sdk/archive.ts";
import type { CommandContext } from "../context.ts";
import { type AppManifest, nameOf, readManifest } from "./manifest.ts";
import { refuseUnserved } from "./unserved.ts";
import { isFolder, noFolder, readSourceFiles } from "./source-files.ts";

/** What a folder holds. */
export interface AppFolder {
  path: string;
  manifest: AppManifest;
  /** Full name of the app, `org/app`. */
  app: string;
  source: Blob256;
  fileCount: number;
}

/** Reads and packs a folder. Fails with MANIFEST_INVALID, NOT_IMPLEMENTED or ARCHIVE_REJECTED. */
export async function readAppFolder(
  context: CommandContext,
  directory: string,
): Promise<AppFolder> {
  const path = context.path(directory);
  if (!(await isFolder(path))) throw noFolder(directory);
  context.sources.folder = path;
  const manifest = await readManifest(path);
  refuseUnserved(notServed(manifest.runtime));
  const main = "main" in manifest.runtime ? manifest.runtime.main : undefined;
  const tree = await readSourceFiles(path, manifest.build, main);
  for (const link of tree.skippedLinks) context.io.progress(`skipped the link ${link}`);
  const source = await packSource(tree.files);
  if (source.bytes.length > sourceBytesMax) {
    throw new IgniteError({
      code: "invalid_argument",
      reason: "ARCHIVE_REJECTED",
      message: `The app is packed to ${source.bytes.length} bytes; ${sourceBytesMax} are allowed.`,
      hint: "Leave files out with .igniteignore or [build] exclude in ignite.toml.",
    });
  }
  const app = await context.app(nameOf(manifest));
  return { path, manifest, app, source, fileCount: Object.keys(tree.files).length };
}
