/**
 * The grammar of names and of the hosts made from them. Everything that reads a Host header, a
 * path or an app name goes through here first, so nothing else ever sees an unparsed one.
 */
import { IgniteError } from "./errors.ts";

/** `acme/hello`, taken apart. */
export interface AppName {
  org: string;
  app: string;
}

/** Where a request wants to go, by host or by path. `version` is set for previews. */
export interface Target extends AppName {
  version: number | undefined;
}

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const ORG_LENGTH_MAX = 32;
const APP_LENGTH_MAX = 28; // `{app}--{org}` fits a DNS label; see fitsHost() for previews
const LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const PORT = "(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
/** A Host header in lower case, as a regular expression: 253 characters of name, six of port. */
export const hostGrammar = `^(?=.{1,259}$)${LABEL}(?:\\.${LABEL})*(?::${PORT})?$`;
const HOST_PATTERN = new RegExp(hostGrammar);
const LABEL_LENGTH_MAX = 63;
const VERSION_WIDE = 999_999; // Nobody has more versions
const ADDRESS_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/i; // A name that ends so is read as an address
const VERSION_LABEL = /^v([1-9][0-9]{0,8})$/;

/** Whether `text` is a well-formed organization name. */
export function isOrgName(text: string): boolean {
  return text.length <= ORG_LENGTH_MAX && NAME.test(text);
}

/** Whether `text` is a well-formed app name (without its organization). */
export function isAppName(text: string): boolean {
  return text.length <= APP_LENGTH_MAX && NAME.test(text);
}

/** Parses `org/app`. Fails with NAME_INVALID. */
export function parseAppName(text: string): AppName {
  const [org = "", app = "", ...rest] = text.split("/");
  if (rest.length > 0 || !isOrgName(org) || !isAppName(app)) {
    throw new IgniteError({
      code: "invalid_argument",
      reason: "NAME_INVALID",
      message: `"${text.slice(0, 100)}" is not an app name.`,
      hint:
        'Write "organization/app", each of lower-case letters, digits and single hyphens ' +
        `(at most ${ORG_LENGTH_MAX} and ${APP_LENGTH_MAX} characters).`,
    });
  }
  return { org, app };
}

/** `acme/hello`. */
export function formatAppName(name: AppName): string {
  return `${name.org}/${name.app}`;
}

/**
 * Parses a Host header: a lower-cased DNS name with an optional port, nothing else. Answers
 * undefined for anything that is not (user info, paths, lists, IP literals in brackets).
 */
export function parseHost(
  raw: string | null | undefined,
): { name: string; port: string } | undefined {
  if (raw === null || raw === undefined) return undefined;
  const host = raw.toLowerCase();
  if (!HOST_PATTERN.test(host)) return undefined;
  const colon = host.indexOf(":");
  const name = colon < 0 ? host : host.slice(0, colon);
  if (name.split(".").some((label) => label.length > LABEL_LENGTH_MAX)) return undefined;
  return { name, port: colon < 0 ? "" : host.slice(colon + 1) };
}

/**
 * Reads `{app}--{org}` or `{version}--{app}--{org}` from the label in front of `domain`. `name`
 * and `domain` are host names without port. Undefined when the host is not of that form.
 */
export function targetOfHost(name: string, domain: string): Target | undefined {
  if (!name.endsWith(`.${domain}`)) return undefined;
  const parts = name.slice(0, -domain.length - 1).split("--");
  if (parts.length === 2) return target(parts[1], parts[0], undefined);
  if (parts.length !== 3) return undefined;
  const version = parseVersionLabel(parts[0]);
  return version === undefined ? undefined : target(parts[2], parts[1], version);
}

/** Reads `/@org/app/rest`, answering the target and the path that the app sees. */
export function targetOfPath(path: string): { target: Target; rest: string } | undefined {
  const match = /^\/@([^/?#]+)\/([^/?#]+)(.*)$/s.exec(path);
  if (match === null) return undefined;
  const found = target(match[1], match[2], undefined);
  if (found === undefined) return undefined;
  const rest = match[3] ?? "";
  return { target: found, rest: rest.startsWith("/") ? rest : `/${rest}` };
}

/**
 * Whether a host name can never be an app's custom domain: an IPv4 address in any spelling that
 * URLs know, a name of the machine itself, or the platform's own host and what is below it. In
 * local development `platform` is empty: all hosts are the app's.
 */
export function isReservedHost(name: string, platform: string): boolean {
  if (platform === "") return false;
  if (ADDRESS_LABEL.test(name.slice(name.lastIndexOf(".") + 1))) return true;
  return ["localhost", platform].some((host) => name === host || name.endsWith(`.${host}`));
}

/** `hello--acme`, or `v3--hello--acme` for a preview. */
export function hostLabelOf(name: AppName, version?: number): string {
  const label = `${name.app}--${name.org}`;
  return version === undefined ? label : `v${version}--${label}`;
}

/** Whether the app's previews have hosts too: organization and app of 52 characters together. */
export function fitsHost(name: AppName): boolean {
  return hostLabelOf(name, VERSION_WIDE).length <= LABEL_LENGTH_MAX;
}

/** Reads `v12` as 12. */
export function parseVersionLabel(text: string | undefined): number | undefined {
  const match = VERSION_LABEL.exec(text ?? "");
  return match === null ? undefined : Number(match[1]);
}

function target(
  org: string | undefined,
  app: string | undefined,
  version: number | undefined,
): Target | undefined {
  if (org === undefined || app === undefined || !isOrgName(org) || !isAppName(app))
    return undefined;
  return { org, app, version };
}
