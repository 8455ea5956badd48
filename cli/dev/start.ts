/** Wires a dev session to the terminal: logs as the app writes them, and a way out for `fetch`. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { LogRecord } from "../../core/deployment.ts";
import { startEgress } from "../../runtime/host/egress/egress.ts";
import type { IgniteError } from "../../core/errors.ts";
import type { CommandContext } from "../context.ts";
import { freePort } from "../platform/port.ts";
import { devResolve } from "./dev-resolve.ts";
import { type DevFailure, failureText } from "./dev-failure.ts";
import { isFolder, noFolder } from "../app/source-files.ts";
import { stackBelow } from "../stack.ts";
import { type DevOptions, type DevSession, startDev } from "./session.ts";

/** What the command line says of a session. */
export type DevRequest = Pick<DevOptions, "dir" | "host" | "port" | "inspectorPort" | "onBuild">;

/** Starts a session. Fails with NOT_FOUND, PORT_IN_USE, or TOOL_MISSING without a compiler. */
export async function startDevSession(
  context: CommandContext,
  request: DevRequest,
): Promise<DevSession> {
  const { dir, host } = request;
  if (!(await isFolder(dir))) throw noFolder(dir);
  const port = await freePort(host, request.port);
  const inspectorPort = await inspectorPortOf(context, request.inspectorPort);
  const egress = startEgress({
    allow: ["0.0.0.0/0:*", "[::/0]:*"], // The code is the developer's own
    resolve: devResolve(),
  });
  const session = await startDev({
    ...request,
    cacheDir: cacheFolder(context),
    port,
    inspectorPort,
    egress,
    onLog: (record) => printLog(context, record),
    onLost: (why) => printLost(context, why),
    onFailure: (failure) => printFailure(context, failure),
  }).catch(async (error: unknown) => {
    await egress.stop();
    throw error;
  });
  return {
    url: session.url,
    async close() {
      await session.close();
      await egress.stop();
    },
  };
}

/** Any free port when the usual one is taken, by another session most likely. */
async function inspectorPortOf({ io }: CommandContext, port: number | undefined) {
  if (port === undefined) return undefined;
  const free = await freePort("127.0.0.1", port).catch(() => freePort("127.0.0.1", 0));
  if (port !== 0 && free !== port)
    io.progress(`port ${port} is in use: the inspector is on ${free}`);
  return free;
}

/** The user's cache folder, as the XDG rules place it. */
function cacheFolder({ env }: CommandContext): string {
  return join(env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"), "ignite");
}

function printLog({ io }: CommandContext, record: LogRecord): void {
  const { level, message, stack } = record;
  const { red, yellow, dim } = io.colors;
  const paint = level === "error" ? red : level === "warn" ? yellow : (text: string) => text;
  const below = stack && stackBelow(message, stack);
  io.item({ log: record }, () => paint(message) + (below ? `\n${dim(below)}` : ""));
}

function printLost({ io }: CommandContext, { reason, message, hint }: IgniteError): void {
  const text = `${reason}: ${message} ${hint ?? ""}`;
  if (io.json) io.item({ lost: { reason, message } }, String);
  else io.progress(io.errorColors.red(text));
}

function printFailure({ io }: CommandContext, failure: DevFailure): void {
  const { method, path, problem } = failure;
  if (io.json) io.item({ failed: { method, path, ...problem } }, String);
  else io.progress(io.errorColors.red(failureText(failure)));
}
