/** Events of one job: whoever comes later reads them from the first one on. */
export class EventLog<Event> {
  readonly #events: Event[] = [];
  #ended = false;
  #wake = Promise.withResolvers<void>();

  /** Adds an event. */
  push(event: Event): void {
    this.#events.push(event);
    this.#notify();
  }

  /** Says that no event will follow. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** All events until the end, or until the signal; then it rejects with the signal's reason. */
  async *read(signal: AbortSignal): AsyncGenerator<Event> {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => {}); // Only of interest while somebody waits
    for (let at = 0; ; at += 1) {
      while (at >= this.#events.length) {
        if (this.#ended) return;
        signal.throwIfAborted();
        await Promise.race([this.#wake.promise, aborted]);
      }
      yield this.#events[at] as Event;
    }
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}
