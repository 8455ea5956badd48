/**
 * The addresses that the front's first map knows: those of every app, and the previews that were
 * called, each with the app's group. When an app changes (its domains, its versions, its
 * isolation, or that it is paused), its addresses are looked at again; one that is not in the map
 * goes to the assigner.
 */
import type { AppAddress } from "../documents/documents.ts";
import type { RouteMap } from "./route-maps.ts";

/** Keeps addresses and map together. */
export class Addresses {
  readonly #hosts: RouteMap;
  readonly #find: (key: string) => AppAddress | undefined;
  readonly #groupOf: (address: AppAddress) => string | undefined;
  readonly #usualOf: (app: string) => readonly string[];
  readonly #byApp = new Map<string, Set<string>>();

  /** `groupOf` answers undefined for an app whose requests the assigner must see. */
  constructor(options: {
    hosts: RouteMap;
    /** Looks up a host name, or `@org/app`. */
    find: (key: string) => AppAddress | undefined;
    groupOf: (address: AppAddress) => string | undefined;
    /** The addresses that an app has whether anybody called them or not. */
    usualOf: (app: string) => readonly string[];
  }) {
    this.#hosts = options.hosts;
    this.#find = options.find;
    this.#groupOf = options.groupOf;
    this.#usualOf = options.usualOf;
  }

  /** Lets the front route `key` by itself from now on. */
  async add(key: string, address: AppAddress): Promise<void> {
    const group = this.#route(address);
    if (group === undefined) return;
    const keys = this.#byApp.get(address.app.key) ?? new Set();
    this.#byApp.set(address.app.key, keys.add(key));
    await this.#hosts.set(key, group);
  }

  /** Looks again at the addresses of an app that is new or has changed. */
  async refresh(app: string): Promise<void> {
    const keys = new Set([...(this.#byApp.get(app) ?? []), ...this.#usualOf(app)]);
    this.#byApp.set(app, keys);
    await Promise.all(
      Array.from(keys, async (key) => {
        const address = this.#find(key);
        const isStill = address?.app.key === app;
        if (!isStill) keys.delete(key);
        await this.#hosts.set(key, isStill ? this.#route(address) : undefined);
      }),
    );
    if (keys.size === 0) this.#byApp.delete(app);
  }

  /** Only versions that exist have an entry, so that callers cannot make the map grow. */
  #route(address: AppAddress): string | undefined {
    const { app, version } = address;
    const exists = version === undefined || app.document.versions[version] !== undefined;
    return exists ? this.#groupOf(address) : undefined;
  }
}
