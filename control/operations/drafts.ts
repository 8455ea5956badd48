/** Drafts: the one mutable slot of an app. */
import { toJsonString } from "@bufbuild/protobuf";
import { assert } from "../../core/assert.ts";
import { IgniteError } from "../../core/errors.ts";
import { type Digest, isDigest } from "../../core/ids.ts";
import { varsBytesMax } from "../../core/limits.ts";
import {
  type AppConfig,
  AppConfigSchema,
  type Code,
  CodeSchema,
} from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { CallContext } from "../context.ts";
import type { AppRow, DraftRow, Ports } from "../ports.ts";
import { type AppReference, checkEtag, getApp, retryOnRace } from "./apps.ts";
import { mutate } from "./commits.ts";
import { etagMismatch, invalidArgument, isEtagMismatch } from "./failures.ts";
import { schemaFault } from "./json-schema.ts";

/** An app with its draft. */
export interface DraftState {
  app: AppRow;
  draft: DraftRow;
}

/** Reads the draft of an app. */
export async function getDraft(
  context: CallContext,
  ports: Ports,
  reference: AppReference,
): Promise<DraftState> {
  const app = await getApp(context, ports, reference);
  const draft = await ports.stores.apps.getDraft(app.id);
  assert(draft !== undefined, `app ${app.id} has a draft`);
  return { app, draft };
}

/**
 * Replaces code or configuration. Fails with SOURCE_MISSING when the organization did not upload
 * the source, with ETAG_MISMATCH when the draft has another etag.
 */
export async function updateDraft(
  context: CallContext,
  ports: Ports,
  request: {
    app: AppReference;
    code?: Code | undefined;
    config?: AppConfig | undefined;
    etag: string;
    idempotencyKey: string;
  },
): Promise<DraftState> {
  const { code, config, idempotencyKey } = request;
  const source = code === undefined ? undefined : sourceOf(code);
  if (source !== undefined) await checkSource(context, ports, source);
  if (config !== undefined) checkConfig(config);
  const fields = {
    ...(code !== undefined && { codeJson: toJsonString(CodeSchema, code), sourceDigest: source }),
    ...(config !== undefined && { configJson: toJsonString(AppConfigSchema, config) }),
  };
  const call = { method: "UpdateDraft", idempotencyKey, request: { ...request, ...fields } };
  return mutate<DraftState>(context, ports, call, (commit) => {
    const attempt = async () => {
      const { app, draft: old } = await getDraft(context, ports, request.app);
      checkEtag("draft", old, request.etag);
      const updatedMs = ports.clock.nowMs();
      const draft = { ...old, ...fields, revision: old.revision + 1, updatedMs };
      const resourceName = `${app.org}/${app.name}`;
      const change = { action: "draft.update", resourceId: app.id, resourceName };
      await ports.stores.apps.changeDraft(draft, commit(change, { app, draft }));
      return { app, draft };
    };
    return request.etag === "" ? retryOnRace(attempt) : nameTheDraft(attempt);
  });
}

/** Digest of the source archive that the code names, if it names one. */
export function sourceOf(code: Code): Digest | undefined {
  const blob =
    code.kind.case === "compile"
      ? code.kind.value.source
      : code.kind.value?.origin.case === "fromCode"
        ? code.kind.value.origin.value.archive
        : undefined;
  return blob !== undefined && isDigest(blob.digest) ? blob.digest : undefined;
}

async function nameTheDraft<Result>(attempt: () => Promise<Result>): Promise<Result> {
  try {
    return await attempt();
  } catch (caught) {
    throw isEtagMismatch(caught) ? etagMismatch("draft") : caught;
  }
}

async function checkSource(
  { principal }: CallContext,
  ports: Ports,
  digest: Digest,
): Promise<void> {
  if (await ports.stores.blobOwners.has(principal.org, digest)) return;
  throw new IgniteError({
    code: "failed_precondition",
    reason: "SOURCE_MISSING",
    message: `The source ${digest} was not uploaded.`,
    hint: `Send it with PUT /blobs/${digest} first.`,
  });
}

function checkConfig({ vars, schema }: AppConfig): void {
  const sizeBytes = Object.entries(vars).reduce(
    (sum, [name, value]) => sum + name.length + new TextEncoder().encode(value).length,
    0,
  );
  if (sizeBytes > varsBytesMax) {
    throw invalidArgument(
      "config.vars",
      `they have ${sizeBytes} bytes; ${varsBytesMax} are allowed.`,
    );
  }
  checkSchema("config.schema.input_json", schema?.inputJson ?? "");
  checkSchema("config.schema.output_json", schema?.outputJson ?? "");
}

function checkSchema(field: string, text: string): void {
  const fault = text === "" ? undefined : schemaFault(text);
  if (fault !== undefined) throw invalidArgument(field, `${fault}.`);
}
