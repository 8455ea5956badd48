/** What an organization may use. A quota of 0 is the platform's default, never "no limit". */
import { fromJsonString } from "@bufbuild/protobuf";
import { IgniteError } from "../../core/errors.ts";
import { orgAppsMaxDefault, orgStorageMbMaxDefault } from "../../core/limits.ts";
import { type Quota, QuotaSchema } from "../../proto/gen/ignite/v1/organization_pb.ts";
import type { OrganizationRow, Ports } from "../ports.ts";

const MB_BYTES = 1024 * 1024;

/** The quota of an organization with the defaults of what is enforced. */
export function quotaOf({ quotaJson }: Pick<OrganizationRow, "quotaJson">): Quota {
  const quota = fromJsonString(QuotaSchema, quotaJson);
  quota.appsMax ||= orgAppsMaxDefault;
  quota.storageMbMax ||= orgStorageMbMaxDefault;
  return quota;
}

/** Fails with QUOTA_EXCEEDED when there is no room for one more app. */
export async function checkAppQuota(ports: Ports, org: string): Promise<void> {
  const { appsMax } = await findQuota(ports, org);
  if ((await ports.stores.apps.count(org)) < appsMax) return;
  throw exceeded(
    `The organization may have ${appsMax} apps and has them.`,
    "Delete an app, or ask the operator for more.",
  );
}

/** Fails with QUOTA_EXCEEDED when there is no room for so many more bytes. */
export async function checkStorageQuota(
  ports: Ports,
  org: string,
  addedBytes: number,
): Promise<void> {
  const { storageMbMax } = await findQuota(ports, org);
  const usedBytes = await ports.stores.blobOwners.bytesOf(org);
  if (usedBytes + addedBytes <= storageMbMax * MB_BYTES) return;
  const usedMb = Math.ceil(usedBytes / MB_BYTES);
  throw exceeded(
    `The organization may store ${storageMbMax} MiB and stores ${usedMb} MiB.`,
    "Delete apps that nobody needs (their room is free a day later), or ask the operator for more.",
  );
}

async function findQuota(ports: Ports, org: string): Promise<Quota> {
  return quotaOf((await ports.stores.organizations.find(org)) ?? { quotaJson: "{}" });
}

function exceeded(message: string, hint: string): IgniteError {
  return new IgniteError({ code: "resource_exhausted", reason: "QUOTA_EXCEEDED", message, hint });
}
