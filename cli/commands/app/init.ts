import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { notCompiled, servedKinds } from "../../../compiler/served.ts";
import { shortPath } from "../../app/short-path.ts";
import { refuseUnserved } from "../../app/unserved.ts";
import type { Command } from "../../command.ts";
import { makeFolder } from "../../make-folder.ts";
import { UsageError } from "../../usage-error.ts";
import { packageRoot } from "../../root.ts";

const TEMPLATES = ["deno", "rust", "python", "go", "image"];
const NAME_IN_TEMPLATES = "my-app";
const NAME_LENGTH_MAX = 28; // As core/names.ts has it

/** `ignite init` */
export const command: Command = {
  args: [{ name: "folder", summary: "folder to make (default: here)", optional: true }],
  options: [
    {
      flags: "-t, --template <name>",
      summary: "what kind of app; this release compiles deno",
      choices: TEMPLATES,
      fallback: "deno",
    },
  ],
  details: "The app is named after the folder. Files that are there are never replaced.",
  examples: [
    ["ignite init hello", "a TypeScript app in ./hello"],
    ["ignite init --template deno", "one in this folder"],
  ],
  async run(context, input) {
    const folder = context.path(input.arg("folder") ?? ".");
    const template = input.text("template") ?? "deno";
    if (!servedKinds.includes(template)) refuseUnserved(notCompiled(template));
    const name = appNameOf(basename(folder));
    const files = await filesOf(join(packageRoot(), "cli", "templates", template), name);
    await refuseToReplace(folder, Object.keys(files));
    for (const [path, text] of Object.entries(files)) {
      await makeFolder(dirname(join(folder, path))).catch(cannotMake(folder));
      await writeFile(join(folder, path), text, { flag: "wx" }).catch(cannotMake(folder));
    }
    const place = shortPath(context.cwd, folder);
    context.io.result({ app: name, template, folder, files: Object.keys(files) }, () =>
      [
        context.io.colors.green(`Made ${name}`),
        ...Object.keys(files).map((path) => `  ${join(place, path)}`),
        "",
        "Next:",
        ...(place === "." ? [] : [`  cd ${place}`]),
        "  ignite dev       # run it here, reload on save",
        "  ignite deploy    # publish it",
      ].join("\n"),
    );
  },
};

/** A folder's name as an app's: lower case, everything else a hyphen. */
function appNameOf(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, NAME_LENGTH_MAX)
    .replaceAll(/^-+|-+$/g, "");
  if (name !== "") return name;
  throw new UsageError(`The folder "${folder}" gives the app no name. Choose another folder.`);
}

async function filesOf(template: string, name: string): Promise<Record<string, string>> {
  const entries = await readdir(template, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const pairs = files.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, "utf8");
    return [path.slice(template.length + 1), text.replaceAll(NAME_IN_TEMPLATES, name)] as const;
  });
  return Object.fromEntries((await Promise.all(pairs)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function refuseToReplace(folder: string, paths: readonly string[]): Promise<void> {
  const there = await readdir(folder, { recursive: true }).catch((): string[] => []);
  const taken = paths.filter((path) => there.includes(path));
  if (taken.length === 0) return;
  const names = taken.join(", ");
  throw new UsageError(`${names} would be replaced in ${folder}. Choose an empty folder.`);
}

function cannotMake(folder: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    const inTheWay = error.code === "EEXIST" || error.code === "ENOTDIR";
    const why = inTheWay ? "a file is in its way" : error.message;
    throw new UsageError(`${folder} cannot be made: ${why}. Choose another folder.`);
  };
}
