/** RPCs on the audit trail. */
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AuditService } from "../../proto/gen/ignite/v1/audit_service_pb.ts";
import { listAuditEvents } from "../operations/audit.ts";
import type { AuditRow, Ports } from "../ports.ts";
import { callOf } from "./call.ts";

/** AuditService. */
export function auditMethods(ports: Ports): ServiceImpl<typeof AuditService> {
  return {
    async listAuditEvents({ afterTime, beforeTime, ...request }, context) {
      const wanted = {
        ...request,
        afterMs: afterTime === undefined ? undefined : timestampMs(afterTime),
        beforeMs: beforeTime === undefined ? undefined : timestampMs(beforeTime),
      };
      const { items, nextPageToken } = await listAuditEvents(callOf(context), ports, wanted);
      return { events: items.map(encodeEvent), nextPageToken };
    },
  };
}

function encodeEvent({ timeMs, org, attributes, ...event }: AuditRow) {
  return {
    ...event,
    time: timestampFromMs(timeMs),
    organization: org,
    attributes: { ...attributes },
  };
}
