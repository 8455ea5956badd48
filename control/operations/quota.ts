/** What an organization may use. A quota of 0 is the platform's default, never "no limit". */
import { fromJsonString } from "@bufbuild/protobuf";
import { IgniteError } from "../../core/errors.ts";
import {
  appVersionsMaxDefault,
  orgAppsMaxDefault,
  orgDeletedAppsMax,
  orgStorageMbMaxDefault,
} from "../../core/limits.ts";
import { type Quota, QuotaSchema } from "../../proto/gen/ignite/v1/organization_pb.ts";
import type { AppRow, OrganizationRow, Ports } from "../ports.ts";

const MB_BYTES = 1024 * 1024;
const TRIMMED_AT_A_TIME = 100; // Catches up where many were kept before, one call after the other

/** The quota of an organization with the defaults of what is enforced. */
export function quotaOf({ quotaJson }: Pick<OrganizationRow, "quotaJson">): Quota {
  const quota = fromJsonString(QuotaSchema, quotaJson);
  quota.appsMax ||= orgAppsMaxDefault;
  quota.versionsMax ||= appVersionsMaxDefault;
  quota.storageMbMax ||= orgStorageMbMaxDefault;
  return quota;
}

/**
 * Fails with QUOTA_EXCEEDED when there is no room for one more app. One that is brought back takes
 * no place among the deleted ones, which are bounded as well.
 */
export async function checkAppQuota(ports: Ports, org: string, isBack = false): Promise<void> {
  const { appsMax } = await findQuota(ports, org);
  const { live, deleted } = await ports.stores.apps.count(org);
  if (live >= appsMax) {
    throw exceeded(
      `The organization may have ${appsMax} apps and has them.`,
      "Delete an app, or ask the operator for more.",
    );
  }
  if (isBack || deleted < orgDeletedAppsMax) return;
  throw exceeded(
    `The organization deleted ${deleted} apps within a day, and each is kept so long.`,
    "Bring one of them back under its name, or wait.",
  );
}

/** Deletes old versions of an app, so that one more is not one too many. */
export async function makeRoomForVersion(ports: Ports, app: AppRow): Promise<void> {
  const { versionsMax } = await findQuota(ports, app.org);
  const upTo = app.latestVersion + 1 - versionsMax;
  if (upTo <= 0) return;
  const { previousVersion, traffic } = app;
  const needed = traffic.map(({ version }) => version);
  if (previousVersion !== undefined) needed.push(previousVersion);
  await ports.stores.versions.trim(app.id, upTo, needed, TRIMMED_AT_A_TIME);
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
