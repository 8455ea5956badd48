/** `Server-Timing` for a caller who asks with `ignite-timing: 1`. */
export class Timing {
  readonly #spans: string[] = [];
  #sinceMs = performance.now();

  /** Names the time since the last mark. */
  mark(name: "route" | "start" | "guest"): void {
    const now = performance.now();
    this.#spans.push(`${name};dur=${(now - this.#sinceMs).toFixed(2)}`);
    this.#sinceMs = now;
  }

  /** The same answer with the header added. */
  stamp(response: Response): Response {
    const stamped = new Response(response.body, response);
    stamped.headers.append("server-timing", this.#spans.join(", "));
    return stamped;
  }
}
