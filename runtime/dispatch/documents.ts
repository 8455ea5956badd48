/**
 * The signed documents that this cell serves from, and the way from a Host header to an app. Only
 * documents that verify get in; of each key the highest sequence wins, so a late push is harmless.
 */
import type { AppDocument, OrganizationDocument, SignedDocument } from "../../core/deployment.ts";
import { verifyDocument } from "../../core/deployment.ts";
import { IgniteError } from "../../core/errors.ts";
import { isReservedHost, parseHost, targetOfHost } from "../../core/names.ts";
import type { ChannelKey } from "../../core/plane-token.ts";

/** An app as it is served: its document, and what was worked out of it once. */
export interface AppEntry {
  /** `org/app`. */
  readonly key: string;
  readonly document: AppDocument;
  readonly sequence: number;
  /** The ping round in which it last wrote a ledger line. */
  ledgerRound: number;
}

/** Where a host leads. */
export interface HostRoute {
  readonly app: AppEntry;
  /** Set by a preview host. */
  readonly version: number | undefined;
}

const HOSTS_REMEMBERED_MAX = 4_096;

/** The documents of a cell. */
export class Documents {
  readonly #key: Promise<ChannelKey>;
  readonly #domain: string;
  readonly #apps = new Map<string, AppEntry>();
  readonly #organizations = new Map<string, { document: OrganizationDocument; sequence: number }>();
  readonly #domains = new Map<string, string>();
  /** Raw Host headers that were parsed before. */
  readonly #hosts = new Map<string, HostRoute>();

  constructor(key: Promise<ChannelKey>, domain: string) {
    this.#key = key;
    this.#domain = domain;
  }

  /**
   * Takes what is newer. Fails with PERMISSION_DENIED, taking nothing, when a signature is wrong.
   */
  async apply(
    documents: readonly SignedDocument[],
  ): Promise<{ applied: AppEntry[]; ignored: number }> {
    const key = await this.#key;
    const verdicts = await Promise.all(documents.map((signed) => verifyDocument(key, signed)));
    if (verdicts.includes(false)) {
      throw new IgniteError({
        code: "permission_denied",
        reason: "PERMISSION_DENIED",
        message: "A document is not signed by this installation.",
      });
    }
    const applied: AppEntry[] = [];
    let ignored = 0;
    for (const signed of documents) {
      const entry =
        signed.kind === "app" ? this.#applyApp(signed) : this.#applyOrganization(signed);
      if (entry === undefined) ignored += 1;
      else if (entry !== true) applied.push(entry);
    }
    this.#hosts.clear();
    return { applied, ignored };
  }

  /** The app of that name, if it is known and not deleted. */
  findApp(key: string): AppEntry | undefined {
    const entry = this.#apps.get(key);
    return entry === undefined || entry.document.deleted ? undefined : entry;
  }

  /** The organization's document, if it is known. */
  findOrganization(org: string): OrganizationDocument | undefined {
    return this.#organizations.get(org)?.document;
  }

  /** The app that a raw Host header was found to lead to before. */
  recallHost(raw: string): HostRoute | undefined {
    return this.#hosts.get(raw);
  }

  /** Parses a raw Host header and finds its app. Fails with HOST_INVALID. */
  findByHost(raw: string): HostRoute | { unknown: string; key: string | undefined } {
    const host = parseHost(raw);
    if (host === undefined) throw hostInvalid();
    const target = targetOfHost(host.name, this.#domain);
    const key = target === undefined ? this.#domains.get(host.name) : `${target.org}/${target.app}`;
    const app = key === undefined ? undefined : this.findApp(key);
    if (app === undefined) return { unknown: host.name, key: target && key };
    const route: HostRoute = { app, version: target?.version };
    if (this.#hosts.size >= HOSTS_REMEMBERED_MAX) this.#hosts.clear();
    this.#hosts.set(raw, route);
    return route;
  }

  /** How many apps and organizations are known. */
  size(): { apps: number; organizations: number } {
    return { apps: this.#apps.size, organizations: this.#organizations.size };
  }

  #applyApp(signed: SignedDocument): AppEntry | undefined {
    const before = this.#apps.get(signed.key);
    if (before !== undefined && before.sequence >= signed.sequence) return undefined;
    const document = JSON.parse(signed.body) as AppDocument;
    for (const domain of before?.document.domains ?? []) {
      if (this.#domains.get(domain) === signed.key) this.#domains.delete(domain);
    }
    if (!document.deleted) {
      for (const domain of document.domains) {
        if (!isReservedHost(domain, this.#domain)) this.#domains.set(domain, signed.key);
      }
    }
    const { key, sequence } = signed;
    const entry: AppEntry = { key, document, sequence, ledgerRound: -1 };
    this.#apps.set(key, entry);
    return entry;
  }

  #applyOrganization(signed: SignedDocument): true | undefined {
    const before = this.#organizations.get(signed.key);
    if (before !== undefined && before.sequence >= signed.sequence) return undefined;
    const document = JSON.parse(signed.body) as OrganizationDocument;
    this.#organizations.set(signed.key, { document, sequence: signed.sequence });
    return true;
  }
}

function hostInvalid(): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "HOST_INVALID",
    message: "The Host header is not a hostname.",
  });
}
