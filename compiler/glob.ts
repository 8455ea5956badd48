/**
 * The globs of `[build]`: `?` is one character and `*` any number of them inside a name, `**` is
 * any number of folders. Nothing that begins with a dot is meant unless the glob says the dot.
 * There is no more to them, so that matching costs at most the product of both lengths.
 */

const GLOB_CHARACTERS_MAX = 512; // As paths
const REFUSED = /[{}[\]\\\0\n]|[?*+@!]\(/;

/** What a glob must be, for messages. */
export const globRule =
  'a path inside the app\'s folder, with "*", "?" and "**" as its only wildcards';

/** Whether a text is a glob of ours. */
export function isGlob(text: string): boolean {
  if (text.length === 0 || text.length > GLOB_CHARACTERS_MAX) return false;
  if (text.startsWith("/") || text.startsWith("!") || REFUSED.test(text)) return false;
  return text.split("/").every((name) => name === "**" || (name !== ".." && !name.includes("**")));
}

/** A glob, taken apart once, for many paths. One that names a folder means all that is in it. */
export class Glob {
  /** As it was written. */
  readonly text: string;
  readonly #exact: readonly string[];
  readonly #inside: readonly string[];

  /** `text` is one that {@link isGlob} takes. */
  constructor(text: string) {
    this.text = text;
    const names = text.split("/").filter((name) => name !== "" && name !== ".");
    this.#exact = names.at(-1) === "**" ? [...names, "*"] : names;
    this.#inside = [...names, "**", "*"];
  }

  /** Whether it means a path, which is relative and in its plain form. */
  matches(path: string): boolean {
    const names = path.split("/");
    return matchesNames(names, this.#exact) || matchesNames(names, this.#inside);
  }
}

/** The last `**` takes one folder more whenever what follows it does not fit. */
function matchesNames(names: readonly string[], globs: readonly string[]): boolean {
  let [name, glob] = [0, 0];
  let last: { name: number; glob: number } | undefined;
  while (name < names.length) {
    const wanted = globs[glob];
    if (wanted === "**") {
      last = { name, glob };
      glob += 1;
    } else if (wanted !== undefined && matchesName(names[name] ?? "", wanted)) {
      name += 1;
      glob += 1;
    } else {
      if (last === undefined || names[last.name]?.startsWith(".")) return false;
      last.name += 1;
      name = last.name;
      glob = last.glob + 1;
    }
  }
  return glob === globs.length;
}

/** The same with `*` and characters. */
function matchesName(name: string, glob: string): boolean {
  if (name.startsWith(".") && !glob.startsWith(".")) return false;
  let [at, wanted] = [0, 0];
  let last: { at: number; wanted: number } | undefined;
  while (at < name.length) {
    const character = glob[wanted];
    if (character === "*") {
      last = { at, wanted };
      wanted += 1;
    } else if (character === "?" || character === name[at]) {
      at += 1;
      wanted += 1;
    } else {
      if (last === undefined) return false;
      last.at += 1;
      at = last.at;
      wanted = last.wanted + 1;
    }
  }
  return glob.slice(wanted).replaceAll("*", "") === "";
}
