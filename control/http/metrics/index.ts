/** Counts requests and their time, and shows the counts as Prometheus text. */
import type { MiddlewareHandler } from "hono";
import type { Clock } from "../../../core/clock.ts";

/** Counters of this isolate; they start at zero with it. */
export class RequestMetrics {
  readonly #counts = new Map<string, { count: number; sumMs: number }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Counts each request that passes.
   * @example app.use(metrics.count())
   */
  count(): MiddlewareHandler {
    const { nowMs } = this.#clock;
    const add = (labels: string, ms: number) => this.#add(labels, ms);
    return async function countRequests(context, proceed) {
      const startMs = nowMs();
      await proceed();
      const kind = context.req.path.startsWith("/ignite.v1.") ? "rpc" : "http";
      add(`kind="${kind}",status="${context.res.status}"`, nowMs() - startMs);
    };
  }

  /** The counts in Prometheus' text format. */
  toString(): string {
    const entries = [...this.#counts];
    return [
      "# HELP ignite_control_requests_total Requests that the control plane answered.",
      "# TYPE ignite_control_requests_total counter",
      ...entries.map(([labels, { count }]) => `ignite_control_requests_total{${labels}} ${count}`),
      "# HELP ignite_control_request_seconds_total Time until their answers began.",
      "# TYPE ignite_control_request_seconds_total counter",
      ...entries.map(
        ([labels, { sumMs }]) => `ignite_control_request_seconds_total{${labels}} ${sumMs / 1_000}`,
      ),
      "",
    ].join("\n");
  }

  #add(labels: string, ms: number): void {
    const entry = this.#counts.get(labels) ?? { count: 0, sumMs: 0 };
    this.#counts.set(labels, { count: entry.count + 1, sumMs: entry.sumMs + ms });
  }
}
