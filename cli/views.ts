/** How API messages look as text. */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type App, Sticky_Mode } from "../proto/gen/ignite/v1/app_pb.ts";
import type { Execution } from "../proto/gen/ignite/v1/execution_pb.ts";
import {
  type Access,
  AccessPolicy,
  type AppConfig,
  ExecutionStatus,
  VersionStatus,
} from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import { type LogEntry, type LogGap, LogLevel } from "../proto/gen/ignite/v1/log_pb.ts";
import type { Version } from "../proto/gen/ignite/v1/version_pb.ts";
import { type Colors, fields, table } from "./io.ts";
import { printable } from "./printable.ts";
import { stackBelow } from "./stack.ts";

/** `2026-08-01 12:00:00` in UTC; empty for no time. */
export function time(timestamp: Timestamp | undefined): string {
  if (timestamp === undefined) return "";
  return timestampDate(timestamp).toISOString().slice(0, 19).replace("T", " ");
}

/** The name of an enum's value, lower case with spaces: `timed out`. */
export function enumName(values: Readonly<Record<string, unknown>>, value: unknown): string {
  const found = Object.entries(values).find(([, one]) => one === value);
  return (found?.[0] ?? "unknown").toLowerCase().replaceAll("_", " ");
}

/** Bytes with a unit: `1.5 KiB`. */
export function bytes(count: bigint | number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = Number(count);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Versions as a table. */
export function versionTable(versions: readonly Version[], colors: Colors): string {
  const rows = versions.map((version) => [
    `v${version.number}`,
    versionStatus(version, colors),
    version.weightPercent > 0 ? `${version.weightPercent}%` : "",
    version.sizeBytes > 0n ? bytes(version.sizeBytes) : "",
    time(version.createTime),
    printable(version.failure?.message || version.message),
  ]);
  return table(["VERSION", "STATUS", "TRAFFIC", "SIZE", "CREATED", "MESSAGE"], rows);
}

function versionStatus({ status }: Version, colors: Colors): string {
  const name = enumName(VersionStatus, status);
  if (status === VersionStatus.ACTIVE) return colors.green(name);
  return status === VersionStatus.FAILED ? colors.red(name) : name;
}

/** An app with all that is set; its version's `config` holds where the app itself says nothing. */
export function appText(app: App, config?: AppConfig): string {
  const { mode } = app.sticky ?? {};
  return fields([
    ["App", app.fullName],
    ["Id", app.id],
    ["About", printable(app.description)],
    ["URL", app.urls.join("\n")],
    ["Traffic", trafficText(app)],
    ["Sticky", mode ? enumName(Sticky_Mode, mode) : ""],
    ["Access", app.access || config ? accessText(app.access ?? config?.access) : ""],
    ["Latest", app.latestVersion > 0 ? `v${app.latestVersion}` : ""],
    ["Domains", app.domains.join(", ")],
    ["Created", time(app.createTime)],
    ["Deleted", time(app.deleteTime)],
  ]);
}

function accessText(access: Access | undefined): string {
  const { policy, methods = [] } = access ?? {};
  const only = methods.length === 0 ? "" : `, ${methods.join(" ")} only`;
  return enumName(AccessPolicy, policy || AccessPolicy.PUBLIC) + only;
}

/** `v3 90%, v4 10%`, or what else there is to say about the traffic. */
export function trafficText(app: App): string {
  const shares = app.traffic.map((share) => `v${share.version} ${share.weightPercent}%`);
  return shares.join(", ") || "none, nothing is published";
}

/** Executions as a table. */
export function executionTable(executions: readonly Execution[], colors: Colors): string {
  const rows = executions.map((execution) => [
    execution.id,
    executionStatus(execution, colors),
    execution.version > 0 ? `v${execution.version}` : "",
    requestOf(execution),
    execution.responseStatus > 0 ? String(execution.responseStatus) : "",
    execution.endTime === undefined ? "" : `${execution.durationMs} ms`,
    time(execution.createTime),
  ]);
  return table(["EXECUTION", "STATUS", "VERSION", "REQUEST", "ANSWER", "TOOK", "AT"], rows);
}

/** An execution with all that is known. */
export function executionText(execution: Execution, colors: Colors): string {
  const { failure } = execution;
  const below = stackBelow(failure?.message ?? "", failure?.stack ?? "");
  const stack = failure?.stack ? `\n${printable(below)}` : "";
  return (
    fields([
      ["Execution", execution.id],
      ["App", `${execution.app}${execution.version > 0 ? ` v${execution.version}` : ""}`],
      ["Status", executionStatus(execution, colors)],
      ["Request", requestOf(execution)],
      ["Answer", execution.responseStatus > 0 ? String(execution.responseStatus) : ""],
      ["Took", execution.endTime === undefined ? "" : `${execution.durationMs} ms`],
      ["Cold", execution.coldStart ? "yes" : ""],
      ["At", time(execution.createTime)],
      ["Why", failure === undefined ? "" : `${failure.reason}: ${printable(failure.message)}`],
      ["Log", failure && !stack ? `ignite logs ${execution.app} --execution ${execution.id}` : ""],
    ]) + stack
  );
}

function requestOf({ requestMethod, requestPath }: Execution): string {
  return printable(`${requestMethod} ${requestPath}`);
}

/** The status of an execution, coloured by what it means. */
export function executionStatus({ status }: Execution, colors: Colors): string {
  const name = enumName(ExecutionStatus, status);
  if (status === ExecutionStatus.SUCCEEDED) return colors.green(name);
  return status > ExecutionStatus.SUCCEEDED ? colors.red(name) : name;
}

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  [LogLevel.DEBUG]: "debug",
  [LogLevel.INFO]: "info ",
  [LogLevel.WARN]: "warn ",
  [LogLevel.ERROR]: "error",
};

/** A log line with time, version and level; a stack follows on lines of its own. */
export function logText(entry: LogEntry, colors: Colors): string {
  const at = entry.time === undefined ? "" : timestampDate(entry.time).toISOString().slice(11, 23);
  const level = LEVEL_NAMES[entry.level] ?? "";
  const paint = LEVEL_COLORS[entry.level];
  const shown = paint === undefined ? level : colors[paint](level);
  const below = printable(stackBelow(entry.message, entry.stack)).replaceAll(/^/gm, "    ");
  const stack = entry.stack === "" ? "" : `\n${colors.dim(below)}`;
  return `${colors.dim(`${at} v${entry.version}`)} ${shown} ${printable(entry.message)}${stack}`;
}

const LEVEL_COLORS: Readonly<Record<number, "yellow" | "red" | "dim">> = {
  [LogLevel.DEBUG]: "dim",
  [LogLevel.WARN]: "yellow",
  [LogLevel.ERROR]: "red",
};

/** A gap in a log. */
export function gapText(gap: LogGap, colors: Colors): string {
  const count = gap.toSequence - gap.fromSequence + 1n;
  const lines = count === 1n ? "1 line is" : `${count} lines are`;
  return colors.dim(`… ${lines} lost (${gap.reason.replaceAll("_", " ")})`);
}
