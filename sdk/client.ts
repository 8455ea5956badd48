import { type App, type AppOptions, appOf } from "./app.ts";
import { type AdminClient, adminClient } from "./clients/admin.ts";
import { type AuditClient, auditClient } from "./clients/audit.ts";
import { type BuildClient, buildClient } from "./clients/build.ts";
import { type ComputeClient, computeClient } from "./clients/compute.ts";
import { type KeyClient, keyClient } from "./clients/key.ts";
import { type ModelClient, modelClient } from "./clients/model.ts";
import { type SecretClient, secretClient } from "./clients/secret.ts";
import { type Deployed, type DeployOptions, deploy } from "./deploy.ts";
import { type Execution, executionOf } from "./execution.ts";
import { type Connection, type ConnectionOptions, connect } from "./connection.ts";
import { transportOf } from "./transport.ts";

/**
 * An Ignite platform, as one caller sees it.
 *
 * ```ts
 * const ignite = new Ignite({ url: "http://localhost:8787", key });
 * const response = await ignite.app("acme/hello").fetch("/?name=you");
 * ```
 */
export class Ignite {
  /** Apps, drafts, versions, traffic, executions and logs. */
  readonly compute: ComputeClient;
  /** Image builds. */
  readonly build: BuildClient;
  /** Models. */
  readonly model: ModelClient;
  /** Secrets. */
  readonly secret: SecretClient;
  /** API keys, and who the caller is. */
  readonly keys: KeyClient;
  /** What was changed in an organization, and by which key; for owner keys. */
  readonly audit: AuditClient;
  /** The platform itself; for operator keys. */
  readonly admin: AdminClient;
  readonly #connection: Connection;

  /**
   * Connects to nothing yet. Throws a TypeError when there is no http(s) address, neither in
   * `options` nor in IGNITE_API.
   */
  constructor(options: ConnectionOptions = {}) {
    this.#connection = connect(options);
    const transport = transportOf(this.#connection);
    this.compute = computeClient(transport);
    this.build = buildClient(transport);
    this.model = modelClient(transport);
    this.secret = secretClient(transport);
    this.keys = keyClient(transport);
    this.audit = auditClient(transport);
    this.admin = adminClient(transport);
  }

  /**
   * An app: call it, read its log and history. `name` is `org/app`, or the app alone when `org` was
   * given.
   */
  app(name: string, options?: AppOptions): App {
    return appOf(this.#connection, name, options);
  }

  /** A handle on an execution whose id is known. */
  execution(id: string): Execution {
    return executionOf(this.#connection, id);
  }

  /**
   * Uploads, compiles, tests and publishes; creates the app when it is missing, and
   * brings it back when it was deleted. Fails with an
   * IgniteApiError, whose `diagnostics` name the places to mend; what had traffic keeps it.
   */
  deploy(name: string, options: DeployOptions): Promise<Deployed> {
    const app = this.app(name).name;
    return deploy({ connection: this.#connection, compute: this.compute }, app, options);
  }
}
