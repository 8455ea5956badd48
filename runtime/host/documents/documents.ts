/**
 * The signed documents as this edge knows them: in memory to answer from, on disk to start from
 * when control is down. The newest of each key wins; a document with a wrong signature never
 * enters, also not from disk.
 */
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AppDocument,
  type OrganizationDocument,
  type SignedDocument,
  verifyDocument,
} from "../../../core/deployment.ts";
import type { Digest } from "../../../core/ids.ts";
import { hostLabelOf, isReservedHost, targetOfHost } from "../../../core/names.ts";
import type { ChannelKey } from "../../../core/plane-token.ts";

/** An app and what it was read from. */
export interface KnownApp {
  /** `org/app`. */
  key: string;
  document: AppDocument;
  signed: SignedDocument;
}

/** An address of an app. `version` is set for previews. */
export interface AppAddress {
  app: KnownApp;
  version: number | undefined;
}

/** All documents of this edge. */
export class Documents {
  readonly #folder: string;
  readonly #key: ChannelKey;
  readonly #domain: string;
  readonly #apps = new Map<string, KnownApp>();
  readonly #organizations = new Map<
    string,
    { document: OrganizationDocument; signed: SignedDocument }
  >();
  /** Custom domain to app. */
  readonly #domains = new Map<string, string>();
  #writes = 0;

  /** `domain` is the platform's, without port. */
  constructor(options: { folder: string; key: ChannelKey; domain: string }) {
    this.#folder = options.folder;
    this.#key = options.key;
    this.#domain = options.domain;
  }

  /** Reads the folder; what is damaged is left out, since control sends it again. */
  async load(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#folder)) {
      if (!name.endsWith(".json")) continue;
      const document = await readDocument(join(this.#folder, name));
      if (document !== undefined && (await verifyDocument(this.#key, document))) {
        this.#keep(document);
      }
    }
  }

  /**
   * Takes documents in, and answers those that changed something. Ones that are older than what
   * is known, or not signed by control, are left out.
   */
  async apply(documents: readonly SignedDocument[]): Promise<SignedDocument[]> {
    const verified = await Promise.all(
      documents.map(async (document) => await verifyDocument(this.#key, document)),
    );
    const newer = documents.filter((document, at) => verified[at] && this.#keep(document));
    await Promise.all(newer.map((document) => this.#write(document)));
    return newer;
  }

  /** An app that was not deleted. */
  app(key: string): KnownApp | undefined {
    const app = this.#apps.get(key);
    return app === undefined || app.document.deleted ? undefined : app;
  }

  /** The app that answers at a host name without port. */
  atHost(host: string): AppAddress | undefined {
    const target = targetOfHost(host, this.#domain);
    const key = target === undefined ? this.#domains.get(host) : `${target.org}/${target.app}`;
    const app = key === undefined ? undefined : this.app(key);
    return app === undefined ? undefined : { app, version: target?.version };
  }

  /** Where callers reach an app's traffic: its host, `@org/app`, and its custom domains. */
  addressesOf({ key, document }: KnownApp): string[] {
    return [`${hostLabelOf(document)}.${this.#domain}`, `@${key}`, ...this.#domainsOf(document)];
  }

  organization(name: string): OrganizationDocument | undefined {
    return this.#organizations.get(name)?.document;
  }

  /** The documents that a cell needs to serve an app. */
  signedFor(app: KnownApp): SignedDocument[] {
    const organization = this.#organizations.get(app.document.org)?.signed;
    return organization === undefined ? [app.signed] : [app.signed, organization];
  }

  /**
   * Documents with those of their organizations. A cell that hears of an app by a push alone, as
   * one does that was on trial, would not know the organization's keys.
   */
  withOrganizations(documents: readonly SignedDocument[]): SignedDocument[] {
    const owners = documents.flatMap(({ kind, key }) => {
      const app = kind === "app" ? this.#apps.get(key) : undefined;
      return app === undefined ? [] : this.signedFor(app);
    });
    return Array.from(new Set([...documents, ...owners]));
  }

  /** An app as it is known, deleted or not. */
  any(key: string): KnownApp | undefined {
    return this.#apps.get(key);
  }

  /** All apps that were not deleted. */
  apps(): KnownApp[] {
    return Array.from(this.#apps.values()).filter(({ document }) => !document.deleted);
  }

  /** The apps of an organization, deleted ones left out. */
  appsOf(org: string): KnownApp[] {
    return Array.from(this.#apps.values()).filter(
      ({ document }) => document.org === org && !document.deleted,
    );
  }

  /** The apps that have a version with this artifact. */
  appsWith(digest: Digest): KnownApp[] {
    return Array.from(this.#apps.values()).filter(
      ({ document }) =>
        !document.deleted &&
        Object.values(document.versions).some(({ artifact }) => artifact === digest),
    );
  }

  /** How many documents are known. */
  get size(): number {
    return this.#apps.size + this.#organizations.size;
  }

  #keep(signed: SignedDocument): boolean {
    const known =
      signed.kind === "app" ? this.#apps.get(signed.key) : this.#organizations.get(signed.key);
    if (known !== undefined && known.signed.sequence >= signed.sequence) return false;
    if (signed.kind === "organization") {
      const document = JSON.parse(signed.body) as OrganizationDocument;
      this.#organizations.set(signed.key, { document, signed });
      return true;
    }
    const document = JSON.parse(signed.body) as AppDocument;
    for (const domain of this.#apps.get(signed.key)?.document.domains ?? []) {
      if (this.#domains.get(domain) === signed.key) this.#domains.delete(domain);
    }
    this.#apps.set(signed.key, { key: signed.key, document, signed });
    for (const domain of document.deleted ? [] : this.#domainsOf(document)) {
      this.#domains.set(domain, signed.key);
    }
    return true;
  }

  /** Custom domains of an app, without those that no app may have. */
  #domainsOf({ domains }: AppDocument): string[] {
    return domains.filter((name) => !isReservedHost(name, this.#domain));
  }

  async #write(document: SignedDocument): Promise<void> {
    const path = join(this.#folder, `${document.kind}.${document.key.replace("/", ".")}.json`);
    this.#writes += 1;
    const temporary = `${path}.${this.#writes}.new`;
    await writeFile(temporary, JSON.stringify(document), { mode: 0o600 });
    await rename(temporary, path);
  }
}

async function readDocument(path: string): Promise<SignedDocument | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as SignedDocument;
  } catch {
    return undefined;
  }
}
