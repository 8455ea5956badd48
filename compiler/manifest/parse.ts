/**
 * Reads `ignite.toml`: syntax, then every key against the table of fields, then what belongs
 * together.
 */
import { parse as parseToml, TomlError } from "smol-toml";
import { diagnosticsMax, manifestBytesMax } from "../../core/limits.ts";
import { isAppName, isOrgName } from "../../core/names.ts";
import { type Diagnostic, diagnostic, suggestionFor } from "../diagnostics.ts";
import { type Complaint, checkValue } from "./check.ts";
import { type Field, fields } from "./fields.ts";
import { locator, type Place } from "./locate.ts";
import type { Manifest } from "./manifest.ts";
import { normalize, type RawManifest } from "./normalize.ts";

type Table = Readonly<Record<string, Field>>;

/** The file's name, at the root of a source tree. */
export const manifestFile = "ignite.toml";

/** A manifest, or everything that is wrong with it. Never both. */
export type ManifestResult =
  | { ok: true; manifest: Manifest }
  | { ok: false; diagnostics: readonly Diagnostic[] };

/** Parses the text of an `ignite.toml`. `file` is named in diagnostics. */
export function parseManifest(text: string, file: string = manifestFile): ManifestResult {
  if (text.length > manifestBytesMax) {
    const message = `The file has more than ${manifestBytesMax} characters.`;
    return { ok: false, diagnostics: [diagnostic("MANIFEST_SYNTAX", message, { file })] };
  }
  const raw = readToml(text, file);
  if ("id" in raw) return { ok: false, diagnostics: [raw as Diagnostic] };
  const alone = checkTables(raw);
  const complaints = alone.some(({ path }) => path[0] === "app")
    ? alone
    : [...alone, ...checkApp(raw)];
  const together = complaints.length === 0 ? checkTogether(raw) : [];
  const all = [...complaints, ...together];
  if (all.length === 0) return { ok: true, manifest: normalize(raw) };
  const locate = locator(text);
  const shown = all.slice(0, diagnosticsMax);
  const diagnostics = shown.map((each) => asDiagnostic(each, locate(each.path), file));
  return { ok: false, diagnostics: diagnostics.toSorted((a, b) => a.line - b.line) };
}

function readToml(text: string, file: string): RawManifest | Diagnostic {
  try {
    return parseToml(text) as RawManifest;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    const reason = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    const message = `The file is not valid TOML: ${reason}.`;
    const lineText = text.split(/\r?\n/)[line - 1] ?? "";
    return diagnostic("MANIFEST_SYNTAX", message, { file, line, column, length: 1, lineText });
  }
}

function checkTables(raw: RawManifest): Complaint[] {
  const tables = Object.keys(fields).filter((name) => name !== "");
  const top = fields[""] ?? {};
  return checkEach(raw, (key, value) => {
    const field = own(top, key);
    if (field !== undefined) return checkValue(field, value, [key]);
    const table = own(fields, key);
    if (table === undefined) return [unknown([key], [...Object.keys(top), ...tables])];
    if (!isTable(value)) return [{ path: [key], message: `${key} must be a table: [${key}].` }];
    return checkTable(table, value, key);
  });
}

function checkTable(table: Table, value: object, name: string): Complaint[] {
  const open = own(table, "*");
  if (open !== undefined) return checkValue(open, value, [name]);
  return checkEach(value, (key, each) => {
    const field = own(table, key);
    const path = [name, key];
    return field === undefined
      ? [unknown(path, Object.keys(table))]
      : checkValue(field, each, path);
  });
}

/** What is wrong with a table's keys, as much of it as is shown: strangers write manifests too. */
function checkEach(
  table: object,
  check: (key: string, value: unknown) => readonly Complaint[],
): Complaint[] {
  const found: Complaint[] = [];
  for (const [key, value] of Object.entries(table)) {
    if (found.length >= diagnosticsMax) break;
    found.push(...check(key, value));
  }
  return found;
}

/** Keys come from outside, and objects have more than their own. */
function own<Value>(object: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function unknown(path: readonly string[], known: readonly string[]): Complaint {
  const near = suggestionFor(path.at(-1) ?? "", known);
  const fix = near === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean "${near}"?`;
  return { path, message: `${path.join(".")} is not a key of ignite.toml.`, fix };
}

function checkApp(raw: RawManifest): Complaint[] {
  if (typeof raw.app !== "string") return [];
  const parts = raw.app.split("/");
  const fine = isAppName(parts.at(-1) ?? "") && (parts.length < 2 || isOrgName(parts[0] ?? ""));
  const message = "app is too long: an organization has at most 32 characters, an app 28.";
  return fine || parts.length > 2 ? [] : [{ path: ["app"], message }];
}

/** Rules about more than one key; only asked once every key is fine by itself. */
function checkTogether(raw: RawManifest): Complaint[] {
  const found: Complaint[] = [];
  const add = (path: readonly string[], message: string) => found.push({ path, message });
  const runtime = raw.runtime ?? "deno";
  for (const table of ["deno", "rust", "python", "go", "image"] as const) {
    if (raw[table] !== undefined && runtime !== table) {
      add([table], `[${table}] is there, but the runtime is "${runtime}".`);
    }
  }
  if (runtime === "image") {
    const origins = ["image_ref", "dockerfile", "git"].filter(
      (key) => raw.image?.[key] !== undefined,
    );
    if (origins.length !== 1) {
      add(["image"], "[image] needs exactly one of image_ref, dockerfile and git.");
    }
  }
  if (raw.access?.["policy"] === "jwt") {
    for (const key of ["issuer", "audience", "jwks_url"]) {
      if (raw.access[key] === undefined)
        add(["access"], `[access] needs ${key} when policy = "jwt".`);
    }
  }
  const { min, max } = raw.scaling ?? {};
  if (Number(min) > Number(max))
    add(["scaling", "min"], "scaling.min is greater than scaling.max.");
  for (const name of Object.keys(raw.secrets ?? {})) {
    if (raw.vars?.[name] !== undefined) add(["secrets", name], `${name} is in [vars] as well.`);
  }
  return found;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asDiagnostic(complaint: Complaint, place: Place, file: string): Diagnostic {
  return diagnostic("MANIFEST_FIELD", complaint.message, { file, ...place, fix: complaint.fix });
}
