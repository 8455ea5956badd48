/** RPCs on apps. */
import { fromJsonString, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type AppSchema, Sticky_Mode } from "../../proto/gen/ignite/v1/app_pb.ts";
import type { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { AccessSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import {
  createApp,
  deleteApp,
  etagOf,
  getApp,
  listApps,
  updateApp,
  urlsOf,
} from "../operations/apps.ts";
import { activeVersionOf } from "../operations/versions.ts";
import type { AppRow, Ports } from "../ports.ts";
import { callOf } from "./call.ts";
import { appReferenceOf } from "./references.ts";

type AppMethods = "createApp" | "getApp" | "listApps" | "updateApp" | "deleteApp";

const STICKY_MODES: Readonly<Record<AppRow["sticky"], Sticky_Mode>> = {
  none: Sticky_Mode.NONE,
  cookie: Sticky_Mode.COOKIE,
  header: Sticky_Mode.HEADER,
};

/** The part of ComputeService about apps. */
export function appMethods(ports: Ports): Pick<ServiceImpl<typeof ComputeService>, AppMethods> {
  const answer = (app: AppRow) => ({ app: encodeApp(ports, app) });
  return {
    async createApp(request, context) {
      return answer(await createApp(callOf(context), ports, request));
    },
    async getApp({ app }, context) {
      return answer(await getApp(callOf(context), ports, appReferenceOf(app)));
    },
    async listApps(request, context) {
      const { items, nextPageToken } = await listApps(callOf(context), ports, request);
      return { apps: items.map((app) => encodeApp(ports, app)), nextPageToken };
    },
    async updateApp({ domains, ...request }, context) {
      const app = appReferenceOf(request.app);
      const settings = { ...request, domains: domains?.names };
      return answer(await updateApp(callOf(context), ports, { ...settings, app }));
    },
    async deleteApp({ app, etag, idempotencyKey }, context) {
      const request = { app: appReferenceOf(app), etag, idempotencyKey };
      return answer(await deleteApp(callOf(context), ports, request));
    },
  };
}

/** An app as callers see it. */
export function encodeApp(ports: Ports, app: AppRow): MessageInitShape<typeof AppSchema> {
  return {
    id: app.id,
    organization: app.org,
    name: app.name,
    fullName: `${app.org}/${app.name}`,
    etag: etagOf(app),
    createTime: timestampFromMs(app.createdMs),
    updateTime: timestampFromMs(app.updatedMs),
    ...(app.deletedMs !== undefined && { deleteTime: timestampFromMs(app.deletedMs) }),
    ...(app.accessJson !== undefined && { access: fromJsonString(AccessSchema, app.accessJson) }),
    domains: [...app.domains],
    traffic: app.traffic.map(({ version, weight }) => ({ version, weightPercent: weight })),
    sticky: { mode: STICKY_MODES[app.sticky] },
    activeVersion: activeVersionOf(app),
    latestVersion: app.latestVersion,
    urls: urlsOf(ports, app),
    revision: BigInt(app.documentRevision),
    description: app.description,
  };
}

/** Reads how callers stay on a version; undefined when the request does not say. */
export function decodeSticky(mode: Sticky_Mode | undefined): AppRow["sticky"] | undefined {
  if (mode === undefined || mode === Sticky_Mode.UNSPECIFIED) return undefined;
  if (mode === Sticky_Mode.COOKIE) return "cookie";
  return mode === Sticky_Mode.HEADER ? "header" : "none";
}
