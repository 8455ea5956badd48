/** Starts what rows ask for, once, and ends it all. */
import { type BenchPlatform, startBenchPlatform } from "./platform.ts";
import type { Peer } from "./peers/peer.ts";
import { startDenoServe, startNodeHttp } from "./peers/servers.ts";
import { startBarestLoader, startStaticWorkerd } from "./peers/workerd.ts";
import type { PeerName, RowContext } from "./row.ts";

const STARTERS: Readonly<Record<PeerName, () => Promise<Peer>>> = {
  "barest-loader": startBarestLoader,
  "static-workerd": startStaticWorkerd,
  "deno-serve": startDenoServe,
  "node-http": startNodeHttp,
};

/** The context of a whole run; each row gets one by {@link Bench.forRow}. */
export class Bench {
  readonly #options: Pick<RowContext, "full" | "rounds" | "seconds" | "progress">;
  readonly #peers = new Map<PeerName, Promise<Peer>>();
  #platform: Promise<BenchPlatform> | undefined;

  constructor(options: Pick<RowContext, "full" | "rounds" | "seconds" | "progress">) {
    this.#options = options;
  }

  /** A context whose own platforms end with `dispose`. */
  forRow(): RowContext & { dispose(): Promise<void> } {
    const own: Promise<BenchPlatform>[] = [];
    return {
      ...this.#options,
      peer: (name) => this.#peer(name),
      platform: () => this.#sharedPlatform(),
      freshPlatform: () => {
        const started = startBenchPlatform();
        own.push(started);
        return started;
      },
      dispose: () => disposeAll(own),
    };
  }

  /** Ends everything that was started. */
  async close(): Promise<void> {
    await disposeAll(this.#platform === undefined ? [] : [this.#platform]);
    for (const peer of this.#peers.values()) {
      await peer.then(
        (started) => started.stop(),
        () => {}, // It never ran, which its row has reported
      );
    }
  }

  #peer(name: PeerName): Promise<Peer> {
    const known = this.#peers.get(name) ?? STARTERS[name]();
    this.#peers.set(name, known);
    return known;
  }

  #sharedPlatform(): Promise<BenchPlatform> {
    this.#platform ??= startBenchPlatform();
    return this.#platform;
  }
}

async function disposeAll(platforms: readonly Promise<BenchPlatform>[]): Promise<void> {
  for (const platform of platforms) {
    await platform.then(
      (started) => started.dispose(),
      () => {}, // It never ran, which its row has reported
    );
  }
}
