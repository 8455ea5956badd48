/** How bad a log line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Plain values that a log line carries beside its message. Never secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes the platform's own log (a guest's log is an execution log and goes elsewhere). */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields added to each line. */
  with(fields: LogFields): Log;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A log of JSON lines, one per call, given to `write` without the line end. */
export function jsonLog(
  write: (line: string) => void,
  fields: LogFields = {},
  minimum: LogLevel = "info",
): Log {
  const at = (level: LogLevel) => (message: string, more?: LogFields) => {
    if (SEVERITY[level] < SEVERITY[minimum]) return;
    write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields, ...more }));
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (more) => jsonLog(write, { ...fields, ...more }, minimum),
  };
}

/** A log that keeps nothing, for tests that do not look at it. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};
