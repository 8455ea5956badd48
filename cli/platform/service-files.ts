/** The proto files whose services the public API offers. */
import { file_ignite_v1_admin_service } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { file_ignite_v1_audit_service } from "../../proto/gen/ignite/v1/audit_service_pb.ts";
import { file_ignite_v1_build_service } from "../../proto/gen/ignite/v1/build_service_pb.ts";
import { file_ignite_v1_compute_service } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { file_ignite_v1_key_service } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { file_ignite_v1_model_service } from "../../proto/gen/ignite/v1/model_service_pb.ts";
import { file_ignite_v1_secret_service } from "../../proto/gen/ignite/v1/secret_service_pb.ts";

/** All of them; the region's service is between planes and not here. */
export const serviceFiles = [
  file_ignite_v1_compute_service,
  file_ignite_v1_build_service,
  file_ignite_v1_model_service,
  file_ignite_v1_secret_service,
  file_ignite_v1_key_service,
  file_ignite_v1_audit_service,
  file_ignite_v1_admin_service,
] as const;
