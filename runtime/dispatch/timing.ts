/** `Server-Timing`, and the version that answered, for callers who ask by `ignite-timing: 1`. */
export class Timing {
  readonly #spans: string[] = [];
  #sinceMs = performance.now();

  /** Names the time since the last mark. */
  mark(name: "route" | "start" | "guest"): void {
    const now = performance.now();
    this.#spans.push(`${name};dur=${(now - this.#sinceMs).toFixed(2)}`);
    this.#sinceMs = now;
  }

  /** The same answer with both headers. */
  stamp(response: Response, version: number): Response {
    const stamped = new Response(response.body, response);
    stamped.headers.append("server-timing", this.#spans.join(", "));
    stamped.headers.set("ignite-version", String(version));
    return stamped;
  }
}
