/** The `ignite.toml` of a folder. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Diagnostic } from "../../compiler/diagnostics.ts";
import type { Manifest } from "../../compiler/manifest/manifest.ts";
import { manifestFile, parseManifest } from "../../compiler/manifest/parse.ts";
import { IgniteError } from "../../core/errors.ts";

/** A manifest that names its app. */
export interface AppManifest extends Manifest {
  app: NonNullable<Manifest["app"]>;
}

/** Reads the manifest of a folder; undefined when there is none. Fails with MANIFEST_INVALID. */
export async function findManifest(folder: string): Promise<AppManifest | undefined> {
  const path = join(folder, manifestFile);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw invalid(`${path} cannot be read: ${(error as Error).message}.`);
  }
  const parsed = parseManifest(text);
  if (!parsed.ok) throw await rejected(parsed.diagnostics);
  const { app } = parsed.manifest;
  if (app === undefined) {
    throw invalid(`${path} does not say which app it is.`, 'Write app = "organization/name".');
  }
  return { ...parsed.manifest, app };
}

/** Reads the manifest of a folder that must have one. Fails with MANIFEST_INVALID. */
export async function readManifest(folder: string): Promise<AppManifest> {
  const manifest = await findManifest(folder);
  if (manifest !== undefined) return manifest;
  throw invalid(
    `There is no ${manifestFile} in ${folder}.`,
    "Make an app with `ignite init`, or name the folder of one.",
  );
}

/** `org/app` as the manifest says it, or `app` alone. */
export function nameOf({ app }: AppManifest): string {
  return app.org === undefined ? app.app : `${app.org}/${app.app}`;
}

function invalid(message: string, hint?: string): IgniteError {
  const init = { code: "invalid_argument", reason: "MANIFEST_INVALID", message } as const;
  return new IgniteError(hint === undefined ? init : { ...init, hint });
}

async function rejected(found: readonly Diagnostic[]) {
  const { create, DiagnosticSchema, IgniteApiError, Severity } = await import("./api.ts");
  const diagnostics = found.map(({ id, severity, fix, notes, ...rest }) =>
    create(DiagnosticSchema, {
      ...rest,
      code: id,
      severity: severity === "error" ? Severity.ERROR : Severity.WARNING,
      notes: fix === undefined ? [...notes] : [...notes, fix],
    }),
  );
  const count = diagnostics.length === 1 ? "an error" : `${diagnostics.length} errors`;
  return new IgniteApiError({
    code: "invalid_argument",
    reason: "MANIFEST_INVALID",
    message: `${manifestFile} has ${count}.`,
    diagnostics,
  });
}
