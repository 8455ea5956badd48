/** What a command works with: the terminal, where it runs, and the platform it talks to. */
import { resolve } from "node:path";
import type { Transport } from "@connectrpc/connect";
import { IgniteError } from "../core/errors.ts";
import type { ComputeClient } from "../sdk/clients/compute.ts";
import type { KeyClient } from "../sdk/clients/key.ts";
import type { Connection } from "../sdk/connection.ts";
import { UsageError } from "./usage-error.ts";
import { type Context, type Environment, readContexts } from "./contexts.ts";
import type { Io } from "./io.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  json?: boolean;
  api?: string;
  key?: string;
  org?: string;
  context?: string;
}

/** The folder of the app that a command works on; set by it once it knows. */
export interface Sources {
  folder: string;
}

/** Where a command runs. */
export interface Place {
  io: Io;
  env: Environment;
  cwd: string;
  sources: Sources;
  /** Prints a shell's completion script, or answers its questions. */
  complete?: (words: readonly string[]) => Promise<void>;
}

const DEFAULT_API = "http://localhost:8787";

/** Handed to each command. Clients are loaded when they are first asked for. */
export class CommandContext {
  readonly io: Io;
  readonly env: Environment;
  readonly cwd: string;
  /** Where the files are that diagnostics name. */
  readonly sources: Sources;
  /** Prints a shell's completion script; what is completed is the caller's. */
  readonly complete: (words: readonly string[]) => Promise<void>;
  /** What the process ends with when the command does not throw. */
  exitCode: 0 | 1 = 0;
  readonly #options: GlobalOptions;
  #target: Promise<Context> | undefined;
  #connection: Promise<Connection> | undefined;
  #transport: Promise<Transport> | undefined;
  #organization: Promise<string> | undefined;

  constructor(place: Place, options: GlobalOptions) {
    this.io = place.io;
    this.env = place.env;
    this.cwd = place.cwd;
    this.sources = place.sources;
    this.complete = place.complete ?? (async () => {});
    this.#options = options;
  }

  /** Where calls go, from options, then environment, then the contexts file. */
  target(): Promise<Context> {
    this.#target ??= this.#resolveTarget();
    return this.#target;
  }

  /** What options and environment say by themselves, whatever the contexts file has. */
  given(): { api: string | undefined; key: string | undefined; org: string | undefined } {
    return {
      api: this.#options.api ?? this.env["IGNITE_API"],
      key: (this.#options.key ?? this.env["IGNITE_KEY"]) || undefined,
      org: (this.#options.org ?? this.env["IGNITE_ORG"]) || undefined,
    };
  }

  /** A path as the user means it. */
  path(path: string): string {
    return resolve(this.cwd, path);
  }

  /** The connection of the SDK. Fails with a UsageError when the address is none. */
  connection(): Promise<Connection> {
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  /** The client of apps, versions and executions. */
  async compute(): Promise<ComputeClient> {
    const { computeClient } = await import("../sdk/clients/compute.ts");
    return computeClient(await this.transport());
  }

  /** The client of keys. */
  async keys(): Promise<KeyClient> {
    const { keyClient } = await import("../sdk/clients/key.ts");
    return keyClient(await this.transport());
  }

  /** The transport that all clients share. */
  transport(): Promise<Transport> {
    this.#transport ??= this.#makeTransport();
    return this.#transport;
  }

  async #makeTransport(): Promise<Transport> {
    const [{ nodeTransport }, connection] = await Promise.all([
      import("./transport.ts"),
      this.connection(),
    ]);
    return nodeTransport(connection);
  }

  /** The organization that is meant when none is named; asks the platform whose key it is. */
  organization(): Promise<string> {
    this.#organization ??= this.#findOrganization();
    return this.#organization;
  }

  /** The full name of an app; without one, the app of the folder's `ignite.toml`. */
  async app(name: string | undefined): Promise<string> {
    const given = name ?? (await this.#appOfFolder());
    if (given.includes("/") || given.startsWith("app_")) return given;
    return `${await this.organization()}/${given}`;
  }

  async #appOfFolder(): Promise<string> {
    const { findManifest, nameOf } = await import("./app/manifest.ts");
    const manifest = await findManifest(this.cwd);
    if (manifest !== undefined) return nameOf(manifest);
    throw new UsageError("Which app? Name one, or go to a folder with an ignite.toml.");
  }

  async #resolveTarget(): Promise<Context> {
    const { api, key, org } = this.given();
    const stored = await this.#storedContext();
    // A stored key is sent to the platform it was stored for, and to no other
    const same = api === undefined || api.replace(/\/+$/, "") === stored?.api.replace(/\/+$/, "");
    const base = same ? stored : undefined;
    return {
      api: api ?? base?.api ?? DEFAULT_API,
      key: key || base?.key,
      org: org || (key ? undefined : base?.org),
    };
  }

  async #storedContext(): Promise<Context | undefined> {
    const { current, contexts } = await readContexts(this.env);
    const name = this.#options.context ?? this.env["IGNITE_CONTEXT"] ?? current;
    if (name === undefined) return undefined;
    const found = contexts[name];
    if (found !== undefined || name === current) return found;
    throw new UsageError(`There is no context "${name}".`, "ignite context list");
  }

  async #connect(): Promise<Connection> {
    const target = await this.target();
    const [{ connect }, { localFetch }] = await Promise.all([
      import("../sdk/connection.ts"),
      import("./local-fetch.ts"),
    ]);
    try {
      const { key, org } = target;
      return connect({ url: target.api, key, org, fetch: localFetch });
    } catch {
      throw new UsageError(`"${target.api}" is not an http or https address.`);
    }
  }

  async #findOrganization(): Promise<string> {
    const { org } = await this.target();
    if (org !== undefined) return org;
    const client = await this.keys();
    const { organization, key } = await client.whoAmI({});
    const name = organization?.name || key?.organization;
    if (name) return name;
    throw new IgniteError({
      code: "invalid_argument",
      reason: "INVALID_ARGUMENT",
      message: "The platform does not say which organization the key belongs to.",
      hint: "Name it with --org.",
    });
  }
}
