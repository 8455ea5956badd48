/** The edge's state and counters, for doctor, `/readyz` and `/metrics`. */
import type { SupervisionCounts } from "./watchdog/supervision.ts";

/** What this machine does for isolation, for doctor and `/readyz`. */
export interface SandboxStatus {
  sandboxed: boolean;
  /** What is missing, each a short phrase. */
  missing: readonly string[];
}

/** How the edge is. */
export interface EdgeHealth {
  sandbox: SandboxStatus;
  controlReachable: boolean;
  front: { pid: number | undefined; restarts: number };
  documents: number;
  cells: readonly {
    id: string;
    group: string | undefined;
    /** Of the outermost process of its jail. */
    pid: number;
    isolates: number;
    inflight: number;
    residentMb: number;
  }[];
}

/** Everything that is counted. */
export interface EdgeCounters {
  health: EdgeHealth;
  supervision: SupervisionCounts;
  strikes: { apart: number; paused: number };
  cellsLost: number;
  artifacts: { files: number; bytes: number };
  executions: { dropped: number; sent: number; waiting: number };
  logs: { dropped: number; sent: number; waiting: number };
  /** Records that cells had no room for. */
  recordsDropped: number;
  /** Log lines above an app's allowance. */
  logLinesDropped: number;
}

const BYTES_PER_MB = 1024 * 1024;

/** Prometheus text. */
export function renderMetrics(counters: EdgeCounters): string {
  const { health, supervision, strikes, artifacts, executions, logs } = counters;
  const serving = health.cells.filter(({ group }) => group !== undefined);
  const sum = (pick: (cell: EdgeHealth["cells"][number]) => number) =>
    health.cells.reduce((total, cell) => total + pick(cell), 0);
  return [
    gauge("sandboxed", "Whether cells are fully sandboxed.", health.sandbox.sandboxed ? 1 : 0),
    gauge("control_reachable", "Whether control answered last.", health.controlReachable ? 1 : 0),
    gauge("documents", "Signed documents known.", health.documents),
    gauge("cells", "Cells that run.", health.cells.length),
    gauge("cells_serving", "Cells that serve a group.", serving.length),
    gauge(
      "isolates",
      "Isolates loaded.",
      sum(({ isolates }) => isolates),
    ),
    gauge(
      "requests_inflight",
      "Requests running in cells.",
      sum(({ inflight }) => inflight),
    ),
    gauge(
      "cells_resident_bytes",
      "Memory of all cells.",
      sum(({ residentMb }) => residentMb) * BYTES_PER_MB,
    ),
    counter("front_restarts_total", "Starts of the front after the first.", health.front.restarts),
    counter("cells_lost_total", "Cells that ended unasked.", counters.cellsLost),
    ...Object.entries(supervision.deaths).map(([cause, count]) =>
      counter(
        "cell_deaths_total",
        "Cells that ended unasked, by cause.",
        count,
        `cause="${cause}"`,
      ),
    ),
    counter("watchdog_heavy_total", "Cells relieved of their other apps.", supervision.heavy),
    counter("watchdog_loops_total", "Cells ended for looping.", supervision.loops),
    counter("watchdog_starved_total", "Late answers without CPU.", supervision.starved),
    counter("requests_lost_total", "Requests that a cell took with it.", supervision.lostRequests),
    gauge("apps_apart", "Apps in cells of their own after a failure.", strikes.apart),
    gauge("apps_paused", "Apps that are paused.", strikes.paused),
    gauge("artifacts", "Artifacts cached.", artifacts.files),
    gauge("artifact_bytes", "Bytes of cached artifacts.", artifacts.bytes),
    counter("execution_records_sent_total", "Execution records sent.", executions.sent),
    counter(
      "execution_records_dropped_total",
      "Execution records lost.",
      executions.dropped + counters.recordsDropped,
    ),
    counter("log_lines_sent_total", "Log entries sent.", logs.sent),
    counter("log_lines_dropped_total", "Log lines lost.", logs.dropped + counters.logLinesDropped),
  ]
    .filter((text, at, all) => all.indexOf(text) === at)
    .join("");
}

function gauge(name: string, help: string, value: number): string {
  return sample(name, help, "gauge", value, "");
}

function counter(name: string, help: string, value: number, labels = ""): string {
  return sample(name, help, "counter", value, labels);
}

function sample(name: string, help: string, type: string, value: number, labels: string): string {
  const full = `ignite_edge_${name}`;
  const at = labels === "" ? full : `${full}{${labels}}`;
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${at} ${value}\n`;
}
