/** RPCs on API keys. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { isId } from "../../core/ids.ts";
import { type ApiKeySchema, Role } from "../../proto/gen/ignite/v1/key_pb.ts";
import type { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { invalidArgument } from "../operations/failures.ts";
import { createKey, listKeys, revokeKey, whoAmI } from "../operations/keys.ts";
import type { KeyRole, KeyRow, Ports } from "../ports.ts";
import { callOf } from "./call.ts";
import { encodeOrganization } from "./organizations.ts";

const ROLES: Readonly<Record<KeyRole, Role>> = {
  invoker: Role.INVOKER,
  reader: Role.READER,
  developer: Role.DEVELOPER,
  owner: Role.OWNER,
};

/** KeyService. */
export function keyMethods(ports: Ports): ServiceImpl<typeof KeyService> {
  return {
    async whoAmI(_request, context) {
      const { key, organization } = await whoAmI(callOf(context), ports);
      return { key: encodeKey(key), organization: encodeOrganization(organization) };
    },
    async createKey({ role, expireTime, ...request }, context) {
      const expiresMs = expireTime === undefined ? undefined : timestampMs(expireTime);
      const wanted = { ...request, role: decodeRole(role), expiresMs };
      const { key, secret } = await createKey(callOf(context), ports, wanted);
      return { key: encodeKey(key), secret };
    },
    async listKeys(request, context) {
      const { items, nextPageToken } = await listKeys(callOf(context), ports, request);
      return { keys: items.map(encodeKey), nextPageToken };
    },
    async revokeKey({ id, force, idempotencyKey }, context) {
      if (!isId("key", id)) throw invalidArgument("id", "it is not an id of a key.");
      const key = await revokeKey(callOf(context), ports, { id, force, idempotencyKey });
      return { key: encodeKey(key) };
    },
  };
}

function encodeKey(key: KeyRow): MessageInitShape<typeof ApiKeySchema> {
  const { expiresMs, lastUsedMs, revokedMs } = key;
  return {
    id: key.id,
    name: key.name,
    role: ROLES[key.role],
    organization: key.org,
    apps: [...key.apps],
    prefix: key.prefix,
    operator: key.operator,
    createTime: timestampFromMs(key.createdMs),
    ...(expiresMs !== undefined && { expireTime: timestampFromMs(expiresMs) }),
    ...(lastUsedMs !== undefined && { lastUseTime: timestampFromMs(lastUsedMs) }),
    ...(revokedMs !== undefined && { revokeTime: timestampFromMs(revokedMs) }),
  };
}

function decodeRole(role: Role): KeyRole {
  const found = (Object.keys(ROLES) as KeyRole[]).find((name) => ROLES[name] === role);
  if (found !== undefined) return found;
  throw invalidArgument("role", "it is not a role.");
}
