/** What commands need of the API's messages; loaded once a command runs. */
export { AppSchema } from "../proto/gen/ignite/v1/app_pb.ts";
export { TestDraftResponseSchema } from "../proto/gen/ignite/v1/compute_service_pb.ts";
export { DraftSchema } from "../proto/gen/ignite/v1/draft_pb.ts";
export { ExecutionSchema } from "../proto/gen/ignite/v1/execution_pb.ts";
export { ExecutionStatus } from "../proto/gen/ignite/v1/ignite_common_pb.ts";
export { WatchExecutionResponseSchema } from "../proto/gen/ignite/v1/invocation_pb.ts";
export { LogEntrySchema, LogGapSchema } from "../proto/gen/ignite/v1/log_pb.ts";
export { VersionSchema } from "../proto/gen/ignite/v1/version_pb.ts";
export { IgniteApiError } from "../sdk/errors.ts";
export { appRef } from "../sdk/names.ts";
export { plain } from "./plain.ts";
export * as views from "./views.ts";
