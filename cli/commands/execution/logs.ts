import { setTimeout as sleep } from "node:timers/promises";
import type { Command, Input } from "../../command.ts";
import type { CommandContext } from "../../context.ts";
import { UsageError } from "../../usage-error.ts";
import { appArgument } from "../app/argument.ts";

const RETRY_PAUSES_MS = [200, 500, 1_000, 2_000, 5_000]; // Then the last again and again

/** `ignite logs` */
export const command: Command = {
  args: [appArgument],
  options: [
    { flags: "-f, --follow", summary: "go on with new lines" },
    { flags: "--execution <id>", summary: "only lines of one execution" },
    { flags: "-n, --tail <count>", summary: "how many of the newest lines come first" },
    { flags: "--after <sequence>", summary: "start behind this position; 0 is the oldest line" },
  ],
  details:
    "Lines come in order. Lost ones are told as gaps. A broken connection is made again, and goes\n" +
    "on where it stopped.",
  examples: [
    ["ignite logs acme/hello", "the newest lines"],
    ["ignite logs acme/hello -f", "and what follows, until Ctrl-C"],
    ["ignite logs acme/hello --execution exe_01j9…", "of one execution"],
    ["ignite logs acme/hello --after 0 --json", "all that is kept, as JSON lines"],
  ],
  async run(context, input) {
    const { IgniteApiError } = await import("../../api.ts");
    const tail = new Tail(context, await context.app(input.arg("app")), input);
    for (let failures = 0; ; failures += 1) {
      const before = tail.position;
      try {
        return await tail.read();
      } catch (error) {
        const lost = IgniteApiError.from(error).code === "unavailable";
        if (!lost || !input.flag("follow") || tail.position === undefined) throw error;
        if (tail.position !== before) failures = 0;
      }
      await sleep(RETRY_PAUSES_MS[failures] ?? RETRY_PAUSES_MS.at(-1));
    }
  },
};

/** Reads a log, and knows where it stopped. */
class Tail {
  /** The last line that was printed; undefined before the first connection stood. */
  position: bigint | undefined;
  readonly #context: CommandContext;
  readonly #app: string;
  readonly #input: Input;

  constructor(context: CommandContext, app: string, input: Input) {
    this.#context = context;
    this.#app = app;
    this.#input = input;
    const after = input.number("after");
    if (after !== undefined) this.position = BigInt(after);
    const id = input.text("execution");
    if (id !== undefined) input.executionId(id);
    if (after === undefined || input.text("tail") === undefined) return;
    throw new UsageError("--tail counts from the newest line, --after from a position: give one.");
  }

  /** Prints until the log ends, or for ever when it is followed. */
  async read(): Promise<void> {
    const { LogEntrySchema, LogGapSchema, appRef, plain, views } = await import("../../api.ts");
    const { io } = this.#context;
    const compute = await this.#context.compute();
    const request = {
      app: appRef(this.#app),
      executionId: this.#input.text("execution") ?? "",
      follow: this.#input.flag("follow"),
      tailCount: this.#input.number("tail", 1) ?? 0,
      ...(this.position === undefined ? {} : { afterSequence: this.position }),
    };
    for await (const { event } of compute.tailLogs(request)) {
      if (event.case === "entry") {
        const entry = event.value;
        this.position = entry.sequence;
        io.item(plain(LogEntrySchema, entry), () => views.logText(entry, io.colors));
      } else if (event.case === "gap") {
        const gap = event.value;
        this.position = gap.toSequence;
        io.item({ gap: plain(LogGapSchema, gap) }, () => views.gapText(gap, io.colors));
      }
    }
  }
}
