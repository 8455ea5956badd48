/**
 * Contexts: which platform a command talks to, kept by name in one file that only its owner can
 * read, since it holds API keys. `ignite up` writes the context `local`.
 */
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { IgniteError } from "../core/errors.ts";

/** A platform and a caller. */
export interface Context {
  api: string;
  key: string | undefined;
  org: string | undefined;
}

/** The whole file. */
export interface Contexts {
  /** Name of the context that is used when none is named. */
  current: string | undefined;
  contexts: Readonly<Record<string, Context>>;
}

/** Environment variables that matter here. */
export type Environment = Readonly<Record<string, string | undefined>>;

const NONE: Contexts = { current: undefined, contexts: {} };

/** Where the file is: below XDG_CONFIG_HOME, else below `~/.config`. */
export function contextsPath(env: Environment): string {
  const home = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return join(home, "ignite", "contexts.json");
}

/** Reads the file; no file is no contexts. Fails with INVALID_ARGUMENT when it is damaged. */
export async function readContexts(env: Environment): Promise<Contexts> {
  const path = contextsPath(env);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return NONE;
    throw unreadable(path, error);
  }
  try {
    return parseContexts(JSON.parse(text));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Adds or replaces a context; it becomes the current one when there is none, or when asked. */
export async function saveContext(
  env: Environment,
  name: string,
  context: Context,
  makeCurrent = false,
): Promise<void> {
  const { current, contexts } = await readContexts(env);
  const used = makeCurrent || current === undefined || !(current in contexts);
  await writeContexts(env, {
    current: used ? name : current,
    contexts: { ...contexts, [name]: context },
  });
}

/** Replaces the file in one step, readable by its owner only. */
export async function writeContexts(env: Environment, contexts: Contexts): Promise<void> {
  const path = contextsPath(env);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  const file = await open(temporary, "w", 0o600);
  await file.writeFile(`${JSON.stringify(contexts, undefined, 2)}\n`);
  await file.close();
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

function parseContexts(value: unknown): Contexts {
  const { current, contexts } = value as { current?: unknown; contexts?: unknown };
  const entries = Object.entries(contexts as Record<string, Record<string, unknown>>);
  return {
    current: optionalText(current),
    contexts: Object.fromEntries(
      entries.map(([name, one]) => {
        if (typeof one["api"] !== "string") throw new TypeError(`context ${name} has no api`);
        const context = { api: one["api"], key: optionalText(one["key"]) };
        return [name, { ...context, org: optionalText(one["org"]) }];
      }),
    ),
  };
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function unreadable(path: string, cause: unknown): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "INVALID_ARGUMENT",
    message: `The contexts in ${path} cannot be read: ${(cause as Error).message}.`,
    hint: "Mend the file, or delete it and add them again with `ignite context add`.",
    cause,
  });
}
