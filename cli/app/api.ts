/** What reading an app's folder needs of the API's types; loaded only when it is needed. */
export { create } from "@bufbuild/protobuf";
export { DiagnosticSchema, Severity } from "../../proto/gen/ignite/v1/compile_pb.ts";
export { IgniteApiError } from "../../sdk/errors.ts";
