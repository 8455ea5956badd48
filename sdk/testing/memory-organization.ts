import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import type { SecretService } from "../../proto/gen/ignite/v1/secret_service_pb.ts";
import { type MemoryState, startOfTime } from "./memory-state.ts";

/** KeyService with the one key that there is. */
export function keyRoutes(
  authorize: (header: Headers) => void,
): Partial<ServiceImpl<typeof KeyService>> {
  const key = { id: "key_1", name: "first", organization: "acme", prefix: "igk_te" };
  return {
    whoAmI(_request, { requestHeader }) {
      authorize(requestHeader);
      return { key, organization: { name: "acme" } };
    },
    listKeys: () => ({ keys: [{ ...key, role: 4, createTime: startOfTime }] }),
    createKey: ({ name, role, apps }) => ({
      key: { id: "key_2", name, role, apps, organization: "acme" },
      secret: "igk_new",
    }),
    revokeKey: ({ id }) => ({ key: { id, name: "first", revokeTime: startOfTime } }),
  };
}

/** SecretService over the state. */
export function secretRoutes(
  state: MemoryState,
  authorize: (header: Headers) => void,
): Partial<ServiceImpl<typeof SecretService>> {
  return {
    putSecret({ name, dataJson }, { requestHeader }) {
      authorize(requestHeader);
      const versions = [...(state.secrets.get(name) ?? []), dataJson];
      state.secrets.set(name, versions);
      return {
        secret: { name, currentVersion: versions.length },
        version: { version: versions.length },
      };
    },
    listSecrets: () => ({
      secrets: [...state.secrets].map(([name, versions]) => ({
        name,
        organization: "acme",
        currentVersion: versions.length,
        updateTime: startOfTime,
      })),
    }),
    listSecretVersions({ name }) {
      const versions = state.secrets.get(name);
      if (versions === undefined) throw new ConnectError("There is no such secret.", Code.NotFound);
      return { versions: versions.map((_, at) => ({ version: at + 1, createTime: startOfTime })) };
    },
    deleteSecret: ({ name }) => {
      state.secrets.delete(name);
      return { secret: { name } };
    },
  };
}
