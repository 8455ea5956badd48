/** Which cell an address leads to: from host or path to app, group and cell. */
import type { SignedDocument } from "../../core/deployment.ts";
import { IgniteError } from "../../core/errors.ts";
import type { Cell } from "./cells/cell.ts";
import { type CellClass, cellClassFor } from "./cells/cell-class.ts";
import type { CellPool } from "./cells/pool.ts";
import type { AppAddress, Documents, KnownApp } from "./documents/documents.ts";
import { Addresses } from "./front/addresses.ts";
import type { RouteMap } from "./front/route-maps.ts";
import { groupOf, openGroup, servesGroup } from "./groups.ts";
import type { Strikes } from "./watchdog/strikes.ts";

/** What routing decides with. */
export interface RoutingOptions {
  documents: Documents;
  strikes: Strikes;
  pool: () => CellPool;
  /** Any cell may be asked for any app: no proxy picks the cell. */
  isOpen: boolean;
}

/** The decisions, and the front's copy of them. */
export class Routing {
  readonly #options: RoutingOptions;
  #addresses: Addresses | undefined;

  constructor(options: RoutingOptions) {
    this.#options = options;
  }

  /** Fills the front's map of addresses, and keeps it from now on. */
  async connect(hosts: RouteMap): Promise<void> {
    const { documents } = this.#options;
    this.#addresses = new Addresses({
      hosts,
      find: (key) => this.find(key),
      groupOf: ({ app }) =>
        this.#options.strikes.pausedForMs(app.key) > 0 ? undefined : this.groupOf(app),
      usualOf: (key) => {
        const app = documents.app(key);
        return app === undefined ? [] : documents.addressesOf(app);
      },
    });
    await Promise.all(documents.apps().map((app) => this.refresh(app.key)));
  }

  /** The app at a host name, or at `@org/app`. */
  find(key: string): AppAddress | undefined {
    const { documents } = this.#options;
    if (!key.startsWith("@")) return documents.atHost(key);
    const app = documents.app(key.slice(1));
    return app === undefined ? undefined : { app, version: undefined };
  }

  /** The cell for a request that the front could not route. Fails with APP_PAUSED, OVERLOADED. */
  async assign(address: AppAddress, key: string): Promise<Cell> {
    const { app } = address;
    const pausedMs = this.#options.strikes.pausedForMs(app.key);
    if (pausedMs > 0) throw appPaused(app.key, pausedMs);
    const cell = await this.#options.pool().cellFor(this.groupOf(app));
    await this.#addresses?.add(key, address);
    return cell;
  }

  /** Who shares a cell with the app. */
  groupOf(app: KnownApp): string {
    const { documents, strikes, isOpen } = this.#options;
    if (isOpen) return openGroup;
    const organization = documents.organization(app.document.org);
    const { key } = app;
    const apart = strikes.isAlone(key) ? "alone" : strikes.isApart(key) ? "with its like" : "no";
    return groupOf(app.document, organization, apart);
  }

  /** The class of a group follows the app of the group that may use most memory. */
  classOf(group: string): CellClass {
    const apps = this.#options.documents.apps().filter((app) => this.groupOf(app) === group);
    return cellClassFor(Math.max(0, ...apps.map(({ document }) => document.limits.memoryMb)));
  }

  /** Whether a cell holds what the document is about. */
  concerns(cell: Cell, { kind, key }: SignedDocument): boolean {
    const { documents } = this.#options;
    const apps = kind === "organization" ? documents.appsOf(key) : [documents.any(key)];
    return apps.some((app) => app !== undefined && servesGroup(cell.group, this.groupOf(app)));
  }

  /** Looks again at the addresses of everything that a document is about. */
  async refreshFor({ kind, key }: SignedDocument): Promise<void> {
    const apps = kind === "app" ? [key] : this.#options.documents.appsOf(key).map((app) => app.key);
    await Promise.all(apps.map((app) => this.refresh(app)));
  }

  /** Looks again at the addresses of one app. */
  async refresh(app: string): Promise<void> {
    await this.#addresses?.refresh(app);
  }
}

function appPaused(app: string, pausedMs: number): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason: "APP_PAUSED",
    message: `${app} is paused after it broke its process several times.`,
    hint: "It starts again by itself; publish a version that is fixed.",
    details: { retryAfterSeconds: String(Math.ceil(pausedMs / 1000)) },
  });
}
