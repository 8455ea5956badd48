/** HAProxy's log lines: one for each request that it could not bring to an end. */

/** A request that failed between the front and a cell. */
export interface FailedRequest {
  requestId: string;
  backend: string;
  /** The cell, or what else was asked. */
  server: string;
  /**
   * Two letters of HAProxy: who ended it, and in which state (`SH`: the server, before headers).
   */
  termination: string;
  status: number;
  method: string;
  /** Host, or `@org/app`. */
  key: string;
  path: string;
  endedMs: number;
  durationMs: number;
}

const FIELDS = 11;

/** Reads a line written with the failure format of haproxy-config.ts; undefined for others. */
export function parseFailure(line: string): FailedRequest | undefined {
  const fields = line.split(" ");
  if (fields.length !== FIELDS || fields[0] !== "FAILED") return undefined;
  const [, requestId, backend, server, termination, status, method, key, path, ended, took] =
    fields as [string, ...string[]];
  return {
    requestId: requestId ?? "",
    backend: backend ?? "",
    server: server ?? "",
    termination: termination ?? "",
    status: Number(status),
    method: method ?? "",
    key: key ?? "",
    path: path ?? "",
    endedMs: Number(ended),
    durationMs: Math.max(0, Number(took)),
  };
}

/** Whether the cell's end is why the request failed. */
export function wasLost(failed: FailedRequest): boolean {
  return failed.backend === "cells" && failed.server !== "assign" && failed.termination[0] === "S";
}
