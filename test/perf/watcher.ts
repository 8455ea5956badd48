/** Asks one app again and again, as a user who notices every outage. */
import { type Answer, Caller } from "./caller.ts";
import { maximum } from "./statistics.ts";

/** What a watcher saw. */
export interface Watched {
  requests: number;
  /** Anything but 200. */
  failures: number;
  /** The longest time in which no answer was right, in milliseconds, pauses included. */
  outageMs: number;
  /** What the first failure said. */
  firstFailure: string | undefined;
}

const PAUSE_MS = 5; // Leaves the cores to those who are watched

/** Watches from its construction to {@link Watcher.stop}. */
export class Watcher {
  readonly #caller: Caller;
  readonly #host: string;
  readonly #answers: Answer[] = [];
  readonly #running: Promise<void>;
  readonly #startMs = performance.now();
  #stopped = false;

  constructor(port: number, host: string) {
    this.#caller = new Caller(port);
    this.#host = host;
    this.#running = this.#run();
  }

  /** Ends it, and tells. */
  async stop(): Promise<Watched> {
    this.#stopped = true;
    await this.#running;
    this.#caller.close();
    const failed = this.#answers.filter(({ status }) => status !== 200);
    const goodMs = this.#answers.filter(({ status }) => status === 200).map((good) => good.doneMs);
    const ends = [this.#startMs, ...goodMs, this.#answers.at(-1)?.doneMs ?? performance.now()];
    const [first] = failed;
    return {
      requests: this.#answers.length,
      failures: failed.length,
      outageMs: maximum(ends.slice(1).map((end, at) => end - (ends[at] ?? end))),
      firstFailure: first && `${first.status} ${first.body}`,
    };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#answers.push(await this.#caller.get(this.#host));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
