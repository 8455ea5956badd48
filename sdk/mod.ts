/**
 * The SDK of Ignite: call apps, deploy them, and use the whole control API by typed clients. Made
 * of web standards only; works in Node, Deno, Bun, Workers and browsers.
 */
export { LogLevel, type LogEntry, type LogGap } from "../proto/gen/ignite/v1/log_pb.ts";
export {
  AccessPolicy,
  ExecutionStatus,
  VersionStatus,
} from "../proto/gen/ignite/v1/ignite_common_pb.ts";
export { Role } from "../proto/gen/ignite/v1/key_pb.ts";
export type { Execution as ExecutionState } from "../proto/gen/ignite/v1/execution_pb.ts";
export type { Version } from "../proto/gen/ignite/v1/version_pb.ts";
export type { App, AppOptions, EnqueueInit } from "./app.ts";
export type { SourceFiles } from "./archive.ts";
export { Ignite } from "./client.ts";
export type {
  AppOrigin,
  ConfigInit,
  Deployed,
  DeployEvent,
  DeployOptions,
  RuntimeName,
} from "./deploy.ts";
export { type ApiCode, IgniteApiError } from "./errors.ts";
export type { Execution, ExecutionEvent } from "./execution.ts";
export type { ExecutionFilter, LogEvent, LogOptions, VersionFilter } from "./history.ts";
export type { ConnectionOptions } from "./connection.ts";
