/**
 * Events of work that goes on whether anyone listens or not, for at most one listener. Bounded by
 * the work itself: a compile says at most `compileLogBytesMax`.
 */
export class EventQueue<Event> {
  readonly #events: Event[] = [];
  #wake: () => void = () => {};
  #isDone = false;
  #failure: { error: unknown } | undefined;

  /** Adds an event. */
  push(event: Event): void {
    this.#events.push(event);
    this.#wake();
  }

  /** Adds the last event. */
  end(event: Event): void {
    this.#isDone = true;
    this.push(event);
  }

  /** Ends with an error, which the listener gets after what came before. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#isDone = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event> {
    while (true) {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
        yield event;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isDone) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
