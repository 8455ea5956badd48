import type { Build } from "../../../proto/gen/ignite/v1/build_pb.ts";
import { BuildStatus } from "../../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { fields, table } from "../../io.ts";
import { bytes, enumName, time } from "../../views.ts";

/** The life of a build in a word. */
export function buildStatus(build: Build): string {
  return enumName(BuildStatus, build.status);
}

/** Builds as a table. */
export function buildTable(builds: readonly Build[]): string {
  const rows = builds.map((build) => [
    build.id,
    buildStatus(build),
    build.app,
    `${build.cachedStepCount}/${build.stepCount}`,
    time(build.createTime),
    build.failure?.message ?? "",
  ]);
  return table(["BUILD", "STATUS", "APP", "CACHED", "MADE", "WHY"], rows);
}

/** A build with all that is known. */
export function buildText(build: Build): string {
  return fields([
    ["Build", build.id],
    ["Status", buildStatus(build)],
    ["App", build.app],
    ["Image", build.imageDigest],
    ["Size", build.sizeBytes > 0n ? bytes(build.sizeBytes) : ""],
    ["Started", time(build.startTime)],
    ["Ended", time(build.endTime)],
    ["Why", build.failure === undefined ? "" : `${build.failure.reason}: ${build.failure.message}`],
  ]);
}
