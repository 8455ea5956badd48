/**
 * The one table of who may call what, by full method name. It is asked before a handler runs; a
 * method that is not in it is refused, and a test proves that each served method is in it.
 */
import { IgniteError } from "../../core/errors.ts";
import type { Principal } from "../context.ts";
import type { KeyRole } from "../ports.ts";

/** A right. `identify` is had by every valid key, `operate` by operator keys only. */
export type Permission = "identify" | "invoke" | "read" | "develop" | "own" | "operate";

const RANKS: Readonly<Record<KeyRole, number>> = { invoker: 0, reader: 1, developer: 2, owner: 3 };

const ROLE_FOR: Readonly<Record<Exclude<Permission, "operate">, KeyRole>> = {
  identify: "invoker",
  invoke: "invoker",
  read: "reader",
  develop: "developer",
  own: "owner",
};

const methods = (service: string, permission: Permission, names: string): [string, Permission][] =>
  names.split(" ").map((name) => [`ignite.v1.${service}/${name}`, permission]);

/** What each method asks for. */
export const permissions: ReadonlyMap<string, Permission> = new Map([
  ...methods("ComputeService", "read", "GetApp ListApps GetDraft GetVersion ListVersions"),
  ...methods("ComputeService", "read", "ListExecutions TailLogs"),
  ...methods("ComputeService", "develop", "CreateApp UpdateApp DeleteApp UpdateDraft CompileDraft"),
  ...methods("ComputeService", "develop", "TestDraft PublishVersion Rollback SetTraffic"),
  ...methods("ComputeService", "invoke", "Invoke InvokeStream InvokeAsync"),
  ...methods("ComputeService", "invoke", "GetExecution CancelExecution WatchExecution"),
  ...methods("BuildService", "read", "GetBuild ListBuilds StreamBuildLogs"),
  ...methods("BuildService", "develop", "CreateBuild CancelBuild RetryBuild"),
  ...methods("ModelService", "read", "ListModels GetModel"),
  ...methods("ModelService", "invoke", "Chat ChatStream Embed Infer Transcribe Rerank"),
  ...methods("SecretService", "read", "ListSecrets ListSecretVersions"),
  ...methods("SecretService", "develop", "GetSecret PutSecret DeleteSecretVersions"),
  ...methods("SecretService", "develop", "UndeleteSecretVersions"),
  ...methods("SecretService", "own", "DestroySecretVersions DeleteSecret"),
  ...methods("KeyService", "identify", "WhoAmI"),
  ...methods("KeyService", "own", "CreateKey ListKeys RevokeKey"),
  ...methods("AuditService", "own", "ListAuditEvents"),
  ...methods("AdminService", "operate", "GetClusterHealth ListNodes DrainNode GetWarmPool"),
  ...methods("AdminService", "operate", "SetWarmPool RolloutPublicApp CreateOrganization"),
  ...methods("AdminService", "operate", "ListOrganizations SetQuota RegisterModel UpdateModel"),
  ...methods("AdminService", "operate", "DeleteModel"),
]);

/** Lets the caller pass, or fails with PERMISSION_DENIED. `method` is `package.Service/Method`. */
export function authorize(principal: Principal, method: string): void {
  const [, name = method] = method.split("/");
  const action = name.replaceAll(/(?<=.)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
  requirePermission(principal, permissions.get(method), action);
}

/**
 * The same for what is no RPC; `action` says to the caller what it would do, as in "read metrics".
 * Without a permission nobody may.
 */
export function requirePermission(
  principal: Principal,
  permission: Permission | undefined,
  action: string,
): void {
  if (permission !== undefined && isGranted(principal, permission)) return;
  const { role, apps } = principal;
  const limit = apps.length === 0 ? "" : ", limited to apps,";
  throw new IgniteError({
    code: "permission_denied",
    reason: "PERMISSION_DENIED",
    message: `A key of role ${role}${limit} may not ${action}.`,
    ...(permission !== undefined && { hint: HINTS[permission] }),
  });
}

const MAKES_ONE = "an owner makes one with `ignite keys create --role";
const HINTS: Readonly<Record<Permission, string>> = {
  identify: "Any valid key may.",
  invoke: `It takes the role invoker; ${MAKES_ONE} invoker\`.`,
  read: `It takes the role reader; ${MAKES_ONE} reader\`.`,
  develop: `It takes the role developer; ${MAKES_ONE} developer\`.`,
  own: `It takes an owner of the whole organization; ${MAKES_ONE} owner\`.`,
  operate: "It takes an operator's key, such as the one that the first start of the platform made.",
};

/** A key that is limited to apps governs neither its organization nor the platform. */
function isGranted(principal: Principal, permission: Permission): boolean {
  const isLimited = principal.apps.length > 0;
  if (isLimited && (permission === "own" || permission === "operate")) return false;
  if (permission === "operate") return principal.operator;
  return RANKS[principal.role] >= RANKS[ROLE_FOR[permission]];
}
