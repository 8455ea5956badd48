/** RPCs of operators: the part of AdminService about organizations. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { HealthStatus } from "../../proto/gen/ignite/v1/node_pb.ts";
import {
  Isolation,
  type OrganizationSchema,
  QuotaSchema,
} from "../../proto/gen/ignite/v1/organization_pb.ts";
import { checkHealth } from "../operations/health.ts";
import { quotaOf } from "../operations/quota.ts";
import { createOrganization, listOrganizations, setQuota } from "../operations/organizations.ts";
import { etagOf } from "../operations/apps.ts";
import type { OrganizationRow, Ports } from "../ports.ts";
import { callOf } from "./call.ts";

type AdminMethods = "createOrganization" | "listOrganizations" | "setQuota" | "getClusterHealth";

const ISOLATIONS: Readonly<Record<OrganizationRow["isolation"], Isolation>> = {
  org: Isolation.ORGANIZATION,
  dedicated: Isolation.DEDICATED,
  shared: Isolation.SHARED,
};

/** What of AdminService is served. */
export function adminMethods(ports: Ports): Pick<ServiceImpl<typeof AdminService>, AdminMethods> {
  return {
    async createOrganization({ isolation, quota, ...request }, context) {
      const wanted = { ...request, quota, isolation: decodeIsolation(isolation) };
      const made = await createOrganization(callOf(context), ports, wanted);
      return { organization: encodeOrganization(made.organization), secret: made.secret };
    },
    async listOrganizations(request) {
      const { items, nextPageToken } = await listOrganizations(ports, request);
      return { organizations: items.map(encodeOrganization), nextPageToken };
    },
    async setQuota({ quota, ...request }, context) {
      const wanted = { ...request, quota: quota ?? create(QuotaSchema) };
      return { organization: encodeOrganization(await setQuota(callOf(context), ports, wanted)) };
    },
    async getClusterHealth() {
      const components = await checkHealth(ports);
      const statusOf = (isHealthy: boolean) =>
        isHealthy ? HealthStatus.HEALTHY : HealthStatus.UNHEALTHY;
      return {
        status: statusOf(components.every(({ isHealthy }) => isHealthy)),
        components: components.map(({ name, isHealthy, message }) => ({
          name,
          status: statusOf(isHealthy),
          message,
          checkTime: timestampFromMs(ports.clock.nowMs()),
        })),
      };
    },
  };
}

/** An organization as callers see it. */
export function encodeOrganization(
  row: OrganizationRow,
): MessageInitShape<typeof OrganizationSchema> {
  return {
    id: row.id,
    name: row.name,
    displayName: row.displayName,
    etag: etagOf(row),
    createTime: timestampFromMs(row.createdMs),
    isolation: ISOLATIONS[row.isolation],
    quota: quotaOf(row),
  };
}

function decodeIsolation(isolation: Isolation): OrganizationRow["isolation"] {
  const names = Object.keys(ISOLATIONS) as OrganizationRow["isolation"][];
  return names.find((name) => ISOLATIONS[name] === isolation) ?? "org";
}
