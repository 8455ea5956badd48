/** Branded, prefixed identifiers: a prefix says what an id names, a ULID makes it sortable. */
declare const brand: unique symbol;

/** A string that names one kind of thing and cannot be passed for another. */
export type Id<Kind extends string> = string & { readonly [brand]: Kind };

/** The ids of each kind of thing. */
export type OrganizationId = Id<"organization">;
export type AppId = Id<"app">;
export type VersionId = Id<"version">;
export type ExecutionId = Id<"execution">;
export type KeyId = Id<"key">;
export type AuditId = Id<"audit">;

/** The prefix of each kind of id. */
export const idPrefixes = {
  organization: "org",
  app: "app",
  version: "ver",
  execution: "exe",
  key: "key",
  audit: "aud",
  build: "bld",
} as const;

/** A kind of thing that has ids. */
export type IdKind = keyof typeof idPrefixes;

/** Makes new ids; handed in so that tests see the same ones each time. */
export interface Ids {
  /** A new id such as `app_01j9…`, later ones sorting after earlier ones. */
  next<Kind extends IdKind>(kind: Kind): Id<Kind>;
}

const ULID = /^[0-9a-hjkmnp-tv-z]{26}$/;

/** Whether `text` is an id of that kind. */
export function isId<Kind extends IdKind>(kind: Kind, text: string): text is Id<Kind> {
  const prefix = `${idPrefixes[kind]}_`;
  return text.startsWith(prefix) && ULID.test(text.slice(prefix.length));
}

const SHA256 = /^[0-9a-f]{64}$/;

/** A lower-case hexadecimal SHA-256, the address of a blob. */
export type Digest = string & { readonly [brand]: "digest" };

/** Whether `text` is a digest. */
export function isDigest(text: string): text is Digest {
  return SHA256.test(text);
}
