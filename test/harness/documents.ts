/** Builds signed documents and artifacts for tests that need no control plane. */
import { createHash, hkdfSync } from "node:crypto";
import { type BundleInput, encodeBundle } from "../../core/bundle.ts";
import {
  type AppDocument,
  type OrganizationDocument,
  type SignedDocument,
  signDocument,
} from "../../core/deployment.ts";
import type { Digest } from "../../core/ids.ts";
import { channelKey } from "../../core/plane-token.ts";

/** The master key of all tests that start a cell without a platform. */
export const testMasterKey = new Uint8Array(32).fill(7);

/** The `documents` channel key as a cell's configuration carries it. */
export function documentsKeyText(): string {
  const bytes = hkdfSync("sha256", testMasterKey, new Uint8Array(0), "ignite/documents", 32);
  return Buffer.from(bytes).toString("base64url");
}

/** An artifact and its digest. */
export interface TestArtifact {
  blob: Uint8Array<ArrayBuffer>;
  digest: Digest;
}

/** An artifact of one JavaScript module, and whatever else is given. */
export function artifactOf(source: string, more: Partial<BundleInput> = {}): TestArtifact {
  const blob = encodeBundle({
    runtime: "deno",
    main: "main.js",
    mustUnderstand: [],
    compatibilityDate: "2026-08-01",
    compatibilityFlags: [],
    modules: [{ name: "main.js", bytes: new TextEncoder().encode(source), meta: { type: "js" } }],
    assets: [],
    sourceMap: undefined,
    ...more,
  });
  return { blob, digest: createHash("sha256").update(blob).digest("hex") as Digest };
}

let sequence = 0;

/** The app's document, signed, newer than all before it. */
export async function signedApp(document: AppDocument): Promise<SignedDocument> {
  return sign("app", `${document.org}/${document.app}`, document);
}

/** The organization's document, signed, newer than all before it. */
export async function signedOrganization(document: OrganizationDocument): Promise<SignedDocument> {
  return sign("organization", document.org, document);
}

async function sign(kind: SignedDocument["kind"], key: string, document: unknown) {
  sequence += 1;
  const channel = await channelKey(testMasterKey, "documents");
  return signDocument(channel, { kind, key, sequence, body: JSON.stringify(document) });
}

/** A public app with one version of that artifact, all traffic on it. */
export function appDocument(
  name: string,
  artifact: Digest,
  more: Partial<AppDocument> = {},
): AppDocument {
  const [org = "", app = ""] = name.split("/");
  return {
    appId: `app_${org}_${app}`,
    org,
    app,
    deleted: false,
    domains: [],
    access: { policy: "public" },
    limits: { memoryMb: 128, cpuMs: 1_000, timeoutMs: 30_000, bodyMb: 1, methods: [] },
    traffic: [{ version: 1, weight: 100 }],
    sticky: "none",
    schema: {},
    versions: { 1: { versionId: "ver_1", number: 1, artifact, vars: {} } },
    ...more,
  };
}
