/** What the expressions in the protos ask for, in words: callers are people as well. */

const NAME = "must be lower-case letters and digits with single hyphens between them";
const id = (prefix: string) => `must be an id such as ${prefix}_01j9…`;
const DIGEST = "must be a SHA-256, 64 lower-case hexadecimal digits";
const DOMAIN = "must be a host name in lower case with a dot in it, such as www.example.com";
const SECRET = "must be letters, digits, dots, hyphens and underscores, in parts between slashes";
const MODEL = "must be letters, digits, and . _ : / - behind the first";

const SENTENCES: ReadonlyMap<string, string> = new Map([
  ["^[a-z0-9](-?[a-z0-9])*$", NAME],
  ["^([a-z0-9](-?[a-z0-9])*)?$", NAME],
  ["^[a-z0-9](-?[a-z0-9])*/[a-z0-9](-?[a-z0-9])*$", "must be organization/app, in lower case"],
  ["^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", DOMAIN],
  ["^app_[0-9a-hjkmnp-tv-z]{26}$", id("app")],
  ["^bld_[0-9a-hjkmnp-tv-z]{26}$", id("bld")],
  ["^exe_[0-9A-Za-z_-]+$", id("exe")],
  ["^(exe_[0-9A-Za-z_-]+)?$", id("exe")],
  ["^key_[0-9a-hjkmnp-tv-z]{26}$", id("key")],
  ["^org_[0-9a-hjkmnp-tv-z]{26}$", id("org")],
  ["^ver_[0-9a-hjkmnp-tv-z]{26}$", id("ver")],
  ["^[0-9a-f]{64}$", DIGEST],
  ["^[!-~]{0,255}$", "must be at most 255 visible ASCII characters, without spaces"],
  ["^https://[!-~]+$", "must be an https:// address"],
  ["^(/[!-~]*)?$", "must be a path that begins with a slash, without spaces"],
  ["^[A-Z][A-Z0-9]{1,15}$", "must be capital letters and digits, such as Q4"],
  ["^[A-Z]{1,32}$", "must be HTTP methods in capital letters, such as GET"],
  ["^[A-Za-z]{0,32}$", "must be an HTTP method, such as GET"],
  ["^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$", "must be the name of a header field"],
  ["^[^\\x00\\r\\n]*$", "must not have line breaks"],
  ["^[A-Za-z_][A-Za-z0-9_]{0,127}$", "must be letters, digits and underscores, no digit first"],
  ["^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$", SECRET],
  ["^[A-Za-z0-9][A-Za-z0-9._:/-]*$", MODEL],
  ["^[A-Za-z0-9][A-Za-z0-9._:/@-]*$", "must be the name of an image, such as ghcr.io/acme/api:1"],
  ["^([A-Za-z0-9][A-Za-z0-9._/-]{0,254})?$", "must be a branch, a tag or a commit"],
  ["^([0-9]+(\\.[0-9]+){0,2})?$", "must be a version such as 3.13"],
]);

/** What the expression of a field asks for; undefined for one that has no sentence. */
export function sentenceOf(pattern: string): string | undefined {
  return SENTENCES.get(pattern);
}

/** The message of a broken rule, with its expression in words. */
export function spokenMessage(message: string): string {
  const pattern = /^does not match regex pattern `(.*)`$/s.exec(message)?.[1];
  return (pattern === undefined ? undefined : sentenceOf(pattern)) ?? message;
}
