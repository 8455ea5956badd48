import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { ListVersionsRequestSchema } from "../proto/gen/ignite/v1/compute_service_pb.ts";
import { AccessPolicy, VersionStatus } from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import { VersionSchema } from "../proto/gen/ignite/v1/version_pb.ts";
import { plain } from "./plain.ts";

test("plain() shortens enums at every depth, and prints sizes and times for programs", () => {
  const version = create(VersionSchema, {
    number: 3,
    status: VersionStatus.ACTIVE,
    sizeBytes: 2n ** 40n,
    createTime: timestampFromMs(0),
    config: {
      access: { policy: AccessPolicy.KEY },
      secrets: { TOKEN: { name: "stripe", version: 2 } },
    },
    diagnostics: [{ severity: 2, file: "main.ts" }],
  });
  expect(plain(VersionSchema, version)).toMatchObject({
    number: 3,
    status: "ACTIVE",
    sizeBytes: 2 ** 40,
    createTime: "1970-01-01T00:00:00Z",
    message: "",
    config: { access: { policy: "KEY" }, secrets: { TOKEN: { name: "stripe", version: 2 } } },
    diagnostics: [{ severity: "WARNING", file: "main.ts", line: 0 }],
  });
});

test("plain() shortens lists of enums", () => {
  const statuses = [VersionStatus.READY, VersionStatus.FAILED];
  const request = create(ListVersionsRequestSchema, { statuses });
  expect(plain(ListVersionsRequestSchema, request)).toMatchObject({
    statuses: ["READY", "FAILED"],
  });
});
