/** RPCs on versions and traffic. */
import {
  fromJson,
  fromJsonString,
  type JsonValue,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { hostLabelOf } from "../../core/names.ts";
import { DiagnosticSchema, FailureSchema } from "../../proto/gen/ignite/v1/compile_pb.ts";
import type { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import {
  AppConfigSchema,
  CodeSchema,
  VersionStatus,
} from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { VersionSchema } from "../../proto/gen/ignite/v1/version_pb.ts";
import { publishVersion, rollback, setTraffic } from "../operations/publishing.ts";
import { getVersion, listVersions, type VersionOfApp } from "../operations/versions.ts";
import type { AppRow, Ports, VersionRow, VersionState } from "../ports.ts";
import { decodeSticky, encodeApp } from "./apps.ts";
import { callOf } from "./call.ts";
import { appReferenceOf } from "./references.ts";

type VersionMethods = "getVersion" | "listVersions" | "publishVersion" | "rollback" | "setTraffic";

const STATUSES: Readonly<Record<VersionState, VersionStatus>> = {
  compiling: VersionStatus.COMPILING,
  ready: VersionStatus.READY,
  active: VersionStatus.ACTIVE,
  superseded: VersionStatus.SUPERSEDED,
  failed: VersionStatus.FAILED,
};

/** The part of ComputeService about versions. */
export function versionMethods(
  ports: Ports,
): Pick<ServiceImpl<typeof ComputeService>, VersionMethods> {
  const both = ({ app, version }: VersionOfApp) => ({
    version: encodeVersion(ports, app, version),
    app: encodeApp(ports, app),
  });
  return {
    async getVersion({ app, version: number }, context) {
      const request = { app: appReferenceOf(app), version: number };
      const found = await getVersion(callOf(context), ports, request);
      return { version: encodeVersion(ports, found.app, found.version) };
    },
    async listVersions({ statuses, ...request }, context) {
      const states = statuses.flatMap(decodeStatus);
      const wanted = { ...request, app: appReferenceOf(request.app), states };
      const { app, items, nextPageToken } = await listVersions(callOf(context), ports, wanted);
      return { versions: items.map((item) => encodeVersion(ports, app, item)), nextPageToken };
    },
    async publishVersion(request, context) {
      const wanted = { ...plain(request), version: request.version, message: request.message };
      return both(await publishVersion(callOf(context), ports, wanted));
    },
    async rollback(request, context) {
      const wanted = { ...plain(request), version: request.version };
      return both(await rollback(callOf(context), ports, wanted));
    },
    async setTraffic(request, context) {
      const traffic = request.traffic.map(({ version, weightPercent: weight }) => ({
        version,
        weight,
      }));
      const wanted = { ...plain(request), traffic, sticky: decodeSticky(request.sticky?.mode) };
      return { app: encodeApp(ports, await setTraffic(callOf(context), ports, wanted)) };
    },
  };
}

/** A version as callers see it. */
export function encodeVersion(
  ports: Ports,
  app: AppRow,
  version: VersionRow,
): MessageInitShape<typeof VersionSchema> {
  const diagnostics = JSON.parse(version.diagnosticsJson) as JsonValue[];
  const share = app.traffic.find((target) => target.version === version.number);
  return {
    id: version.id,
    appId: app.id,
    app: `${app.org}/${app.name}`,
    number: version.number,
    status: STATUSES[version.state],
    code: fromJsonString(CodeSchema, version.codeJson),
    config: fromJsonString(AppConfigSchema, version.configJson),
    sourceDigest: version.sourceDigest ?? "",
    artifactDigest: version.artifactDigest ?? "",
    sizeBytes: BigInt(version.sizeBytes),
    assetCount: version.assetCount,
    moduleCount: version.moduleCount,
    message: version.message,
    diagnostics: diagnostics.map((diagnostic) => fromJson(DiagnosticSchema, diagnostic)),
    ...(version.failureJson !== undefined && {
      failure: fromJsonString(FailureSchema, version.failureJson),
    }),
    createTime: timestampFromMs(version.createdMs),
    ...(version.compiledMs !== undefined && { compileTime: timestampFromMs(version.compiledMs) }),
    ...(version.publishedMs !== undefined && { publishTime: timestampFromMs(version.publishedMs) }),
    previewUrl: version.artifactDigest === undefined ? "" : previewUrlOf(ports, app, version),
    weightPercent: share?.weight ?? 0,
    createdBy: version.createdBy,
  };
}

function previewUrlOf(ports: Ports, app: AppRow, { number }: VersionRow): string {
  const { protocol } = new URL(ports.publicUrl);
  return `${protocol}//${hostLabelOf({ org: app.org, app: app.name }, number)}.${ports.domain}/`;
}

function decodeStatus(status: VersionStatus): VersionState[] {
  const states = Object.keys(STATUSES) as VersionState[];
  return states.filter((state) => STATUSES[state] === status);
}

function plain(request: {
  app?: Parameters<typeof appReferenceOf>[0];
  etag: string;
  idempotencyKey: string;
}) {
  const { etag, idempotencyKey } = request;
  return { app: appReferenceOf(request.app), etag, idempotencyKey };
}
