/**
 * Which files of a folder are an app's source: all but what `.gitignore` and `.igniteignore` name,
 * what `[build]` leaves out, and what never belongs in one. Bounded, and in a fixed order.
 */
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import ignore, { type Ignore } from "ignore";
import type { ManifestBuild } from "../../compiler/manifest/manifest.ts";
import { IgniteError } from "../../core/errors.ts";
import { sourceExpandedBytesMax, sourceFilesMax, sourcePathBytesMax } from "../../core/limits.ts";

/** What was found. */
export interface SourceTree {
  /** Bytes by path, `/` between folders. */
  files: Record<string, Uint8Array>;
  /** Links that lead nowhere or out of the folder; they are left out. */
  skippedLinks: readonly string[];
}

/** Never source: version control, what tools install or write, and files of local secrets. */
const NEVER = [".git", "node_modules", ".ignite", ".wrangler", ".DS_Store", ".env", ".env.*"];
/** Needed to compile, whatever `[build] include` says. */
const ALWAYS = ["ignite.toml", "deno.json", "deno.jsonc", "deno.lock", "package.json"];
const IGNORE_FILES = [".gitignore", ".igniteignore"]; // The second may take back the first's
const READS_MAX = 32; // Open files at a time

/** Rules that hold below one folder. */
interface Rules {
  /** Path of the folder, with a slash at its end; empty for the root. */
  base: string;
  matcher: Ignore;
}

/** Reads the source below `root`. Fails with ARCHIVE_REJECTED when it is over a limit. */
export async function readSourceFiles(
  root: string,
  build: Pick<ManifestBuild, "include" | "exclude" | "assets">,
  main?: string,
): Promise<SourceTree> {
  const walk = new Walk(root, build, main);
  await walk.folder("", []);
  return { files: await readAll(root, walk.found.toSorted()), skippedLinks: walk.skippedLinks };
}

class Walk {
  readonly found: string[] = [];
  readonly skippedLinks: string[] = [];
  readonly #root: string;
  readonly #never: Ignore;
  readonly #included: Ignore | undefined;

  constructor(
    root: string,
    build: Pick<ManifestBuild, "include" | "exclude" | "assets">,
    main: string | undefined,
  ) {
    this.#root = root;
    this.#never = ignore()
      .add(NEVER)
      .add([...build.exclude]);
    if (build.include.length === 0) return;
    const start = main === undefined ? [] : [main];
    this.#included = ignore().add([...ALWAYS, ...start, ...build.assets, ...build.include]);
  }

  async folder(base: string, above: readonly Rules[]): Promise<void> {
    const entries = await readdir(join(this.#root, base), { withFileTypes: true });
    const rules = await this.#rulesOf(base, entries, above);
    for (const entry of entries) {
      const path = base + entry.name;
      const folder = entry.isDirectory();
      if (this.#isIgnored(folder ? `${path}/` : path, rules)) continue;
      if (folder) await this.folder(`${path}/`, rules);
      else if (entry.isSymbolicLink() && !(await this.#leadsToFile(path)))
        this.skippedLinks.push(path);
      else if (entry.isFile() || entry.isSymbolicLink()) this.#add(path);
    }
  }

  #add(path: string): void {
    if (this.#included?.ignores(path) === false) return;
    if (path.includes("\uFFFD")) throw rejected(`The name ${path} is not UTF-8.`);
    if (Buffer.byteLength(path) > sourcePathBytesMax) {
      throw rejected(`The path ${path} is longer than ${sourcePathBytesMax} bytes.`);
    }
    this.found.push(path);
    if (this.found.length > sourceFilesMax) {
      throw rejected(`The app has more than ${sourceFilesMax} files.`);
    }
  }

  async #rulesOf(base: string, entries: readonly { name: string }[], above: readonly Rules[]) {
    const names = new Set(entries.map((entry) => entry.name));
    const present = IGNORE_FILES.filter((name) => names.has(name));
    if (present.length === 0) return above;
    const texts = present.map((name) => readFile(join(this.#root, base, name), "utf8"));
    return [...above, { base, matcher: ignore().add((await Promise.all(texts)).join("\n")) }];
  }

  #isIgnored(path: string, rules: readonly Rules[]): boolean {
    if (this.#never.ignores(path)) return true;
    let ignored = false;
    for (const { base, matcher } of rules) {
      const result = matcher.test(path.slice(base.length));
      ignored = result.ignored || (ignored && !result.unignored);
    }
    return ignored;
  }

  async #leadsToFile(path: string): Promise<boolean> {
    try {
      const root = await realpath(this.#root);
      const target = await realpath(join(root, path));
      return target.startsWith(root + sep) && (await stat(target)).isFile();
    } catch {
      return false;
    }
  }
}

async function readAll(
  root: string,
  paths: readonly string[],
): Promise<Record<string, Uint8Array>> {
  let bytes = 0;
  const files: Record<string, Uint8Array> = {};
  for (let at = 0; at < paths.length; at += READS_MAX) {
    const batch = paths.slice(at, at + READS_MAX);
    const contents = await Promise.all(batch.map((path) => readFile(join(root, path))));
    for (const [index, content] of contents.entries()) {
      bytes += content.length;
      if (bytes > sourceExpandedBytesMax) {
        throw rejected(`The app has more than ${sourceExpandedBytesMax} bytes.`);
      }
      files[batch[index] ?? ""] = content;
    }
  }
  return files;
}

/** Whether a path is a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** There is no such folder. */
export function noFolder(path: string): IgniteError {
  const message = `There is no folder ${path}.`;
  return new IgniteError({ code: "not_found", reason: "NOT_FOUND", message });
}

function rejected(message: string): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "ARCHIVE_REJECTED",
    message,
    hint: "Leave files out with .igniteignore or [build] exclude in ignite.toml.",
  });
}
