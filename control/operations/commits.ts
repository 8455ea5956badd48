/** What every mutation has in common: an audit row, and that a repeat answers as the first did. */
import { IgniteError } from "../../core/errors.ts";
import { idempotencyTtlMs } from "../../core/limits.ts";
import type { CallContext } from "../context.ts";
import type { AuditRow, Commit, Ports } from "../ports.ts";
import { digestOf } from "./hash.ts";

/** The facts of an audit row that the operation knows. */
export interface Change {
  /** Such as `app.create`. */
  action: string;
  resourceId: string;
  resourceName: string;
  attributes?: Readonly<Record<string, string>>;
}

/** Makes the {@link Commit} of a change that answers `result`, plain JSON data. */
export type CommitMaker<Result> = (
  change: Change,
  result: Result,
  document?: Commit["document"],
) => Commit;

/**
 * Runs a mutation, or answers what it answered the first time when its idempotency key was used
 * within 24 hours. `run` commits with what it makes, or changes nothing and does not commit.
 * Fails with IDEMPOTENCY_CONFLICT when the key came with another request.
 */
export async function mutate<Result>(
  context: CallContext,
  ports: Ports,
  call: { method: string; idempotencyKey: string; request: unknown },
  run: (commit: CommitMaker<Result>) => Promise<Result>,
): Promise<Result> {
  const { method, idempotencyKey: key } = call;
  const requestDigest = key === "" ? "" : await digestOf([method, call.request]);
  const replay = () => findAnswer<Result>(context, ports, key, requestDigest);
  const before = key === "" ? undefined : await replay();
  if (before !== undefined) return before.result;
  const { org, keyId: actor } = context.principal;
  try {
    return await run((change, result, document) => {
      const audit = auditOf(context, ports, change);
      const expiresMs = audit.timeMs + idempotencyTtlMs;
      const resultJson = JSON.stringify(result);
      const row = { org, actor, key, method, requestDigest, resultJson, expiresMs };
      return { audit, document, idempotency: key === "" ? undefined : row };
    });
  } catch (caught) {
    const hasRaced = caught instanceof IgniteError && caught.reason === "IDEMPOTENCY_CONFLICT";
    const meanwhile = hasRaced ? await replay() : undefined;
    if (meanwhile !== undefined) return meanwhile.result;
    throw caught;
  }
}

/** A commit by the platform itself, on behalf of nobody. */
export function platformCommit(
  ports: Ports,
  org: string,
  change: Change,
  document?: Commit["document"],
): Commit {
  const audit = { ...rowOf(ports, change), org, actor: "", requestId: "" };
  return { audit, document };
}

/** The audit row of a change that the caller asked for. */
function auditOf(context: CallContext, ports: Ports, change: Change): AuditRow {
  const { org, keyId: actor } = context.principal;
  return { ...rowOf(ports, change), org, actor, requestId: context.requestId };
}

function rowOf({ ids, clock }: Ports, { attributes = {}, ...change }: Change) {
  return { ...change, attributes, id: ids.next("audit"), timeMs: clock.nowMs() };
}

async function findAnswer<Result>(
  { principal }: CallContext,
  ports: Ports,
  key: string,
  requestDigest: string,
): Promise<{ result: Result } | undefined> {
  const { org, keyId } = principal;
  const row = await ports.stores.idempotency.find(org, keyId, key, ports.clock.nowMs());
  if (row === undefined) return undefined;
  if (row.requestDigest === requestDigest) return { result: JSON.parse(row.resultJson) as Result };
  throw new IgniteError({
    code: "already_exists",
    reason: "IDEMPOTENCY_CONFLICT",
    message: "The idempotency key was used with another request.",
    hint: "Take a new key for a new request.",
  });
}
