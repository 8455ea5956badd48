/**
 * Publishes hundreds of apps in a moment: their artifacts go into the store and their documents to
 * the edge, signed with the platform's own keys, past the control plane, which compiles one by one.
 * The edge and its cells cannot tell the difference.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { storeTokenOf } from "../../cli/platform/secrets.ts";
import { decodeBundle, encodeBundle } from "../../core/bundle.ts";
import { type AppDocument, type SignedDocument, signDocument } from "../../core/deployment.ts";
import type { Digest } from "../../core/ids.ts";
import { channelKey, planeTokenHeader, signPlaneToken } from "../../core/plane-token.ts";
import { appDocument } from "../harness/documents.ts";
import { until } from "../harness/platform.ts";
import type { BenchPlatform } from "./platform.ts";

const SEQUENCE_FIRST = 1_000_000; // Beyond what control hands out in a benchmark

/** Writes documents for one platform. */
export class Publisher {
  readonly #dataDir: string;
  readonly #masterKey: Buffer<ArrayBuffer>;
  #sequence = SEQUENCE_FIRST;

  private constructor(dataDir: string, masterKey: Buffer<ArrayBuffer>) {
    this.#dataDir = dataDir;
    this.#masterKey = masterKey;
  }

  /** Reads the platform's master key. */
  static async of(platform: BenchPlatform): Promise<Publisher> {
    const dataDir = join(platform.dataDir, "data");
    const masterKey = await readFile(join(dataDir, "keys", "master"));
    return new Publisher(dataDir, Buffer.from(masterKey));
  }

  /** The artifact of an app that was deployed, as it lies at the edge. */
  async artifactOf(name: string, version: number): Promise<Digest> {
    const file = join(this.#dataDir, "edge/documents", `app.${name.replace("/", ".")}.json`);
    const signed = JSON.parse(await readFile(file, "utf8")) as SignedDocument;
    const artifact = (JSON.parse(signed.body) as AppDocument).versions[version]?.artifact;
    if (artifact === undefined) throw new Error(`${name} has no version ${version} at the edge`);
    return artifact;
  }

  /** Stores so many copies of an artifact that differ in a comment, and answers their digests. */
  async copiesOf(artifact: Digest, count: number): Promise<Digest[]> {
    const bytes = await readFile(this.#artifactFile(artifact));
    const { index, bytesOf } = decodeBundle(new Uint8Array(bytes).buffer);
    const copies: Digest[] = [];
    for (let at = 0; at < count; at += 1) {
      const blob = encodeBundle({
        ...index,
        modules: index.modules.map((module) => ({
          name: module.name,
          bytes: Buffer.concat([bytesOf(module), Buffer.from(`\n// Copy ${at}`)]),
          meta: { type: module.type },
        })),
        assets: [],
        sourceMap: undefined,
      });
      copies.push(await this.#store(blob));
    }
    return copies;
  }

  /** Gives each app that artifact, public, all traffic on it; waits until it is on local disk. */
  async publish(apps: readonly { name: string; artifact: Digest }[]): Promise<void> {
    const key = await channelKey(new Uint8Array(this.#masterKey), "documents");
    const documents = await Promise.all(
      apps.map(({ name, artifact }) => {
        this.#sequence += 1;
        const body = JSON.stringify(appDocument(name, artifact));
        return signDocument(key, { kind: "app", key: name, sequence: this.#sequence, body });
      }),
    );
    const path = "/v1/documents";
    const plane = await channelKey(new Uint8Array(this.#masterKey), "edge");
    const token = await signPlaneToken(plane, { aud: "edge", method: "POST", path }, Date.now());
    await this.#send("edge", path, {
      method: "POST",
      headers: { [planeTokenHeader]: token, "content-type": "application/json" },
      body: Buffer.from(JSON.stringify({ documents })),
    });
    const files = new Set(apps.map(({ artifact }) => this.#artifactFile(artifact)));
    await until("artifacts on local disk", () =>
      Array.from(files).every((file) => existsSync(file)),
    );
  }

  async #store(blob: Uint8Array): Promise<Digest> {
    const digest = createHash("sha256").update(blob).digest("hex") as Digest;
    const headers = { authorization: `Bearer ${storeTokenOf(this.#masterKey)}` };
    await this.#send("store", `/blobs/${digest}`, { method: "PUT", headers, body: blob });
    return digest;
  }

  #artifactFile(digest: Digest): string {
    return join(this.#dataDir, "edge/artifacts", digest);
  }

  #send(
    socket: string,
    path: string,
    sent: { method: string; headers: Record<string, string>; body: Uint8Array },
  ): Promise<void> {
    const socketPath = join(this.#dataDir, "run", `${socket}.sock`);
    const { method, headers, body } = sent;
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath, path, method, headers }, (response) => {
        response.resume();
        const { statusCode = 0 } = response;
        if (statusCode < 300) response.on("end", () => resolve());
        else reject(new Error(`${socket} answered ${method} ${path} with ${statusCode}`));
      });
      outgoing.on("error", reject).end(body);
    });
  }
}

/** So many app names of an organization, `org/stem-1` and so on. */
export function namesOf(org: string, stem: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${org}/${stem}-${at + 1}`);
}
