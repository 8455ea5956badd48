/**
 * The SDK of Ignite: call apps, deploy them, and use the whole control API by typed clients. Made
 * of web standards only; works in Node, Deno, Bun, Workers and browsers.
 */
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
export type { ConnectionOptions } from "./connection.ts";
