/**
 * Static files out of artifacts, kept in the cell's memory within a bound and shared by all that
 * read them, so an isolate that is idle holds none.
 */
import type { BundleAsset } from "../../../core/bundle.ts";
import type { Digest } from "../../../core/ids.ts";
import { fetchBundle } from "../../dispatch/artifacts.ts";
import type { Origin } from "../../dispatch/ports.ts";

interface KeptArtifact {
  files: ReadonlyMap<string, BundleAsset>;
  bytesOf(file: BundleAsset): Uint8Array<ArrayBuffer>;
  bytes: number;
}

const BYTES_MAX = 32 * 1024 * 1024;

/** The static files of all artifacts of a cell. */
export class AssetStore {
  readonly #origin: Origin;
  /** Longest unused first. */
  readonly #kept = new Map<Digest, KeptArtifact>();
  #bytes = 0;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** The files by name. Fails as {@link fetchBundle}. */
  async filesOf(artifact: Digest): Promise<ReadonlyMap<string, BundleAsset>> {
    return (await this.#get(artifact)).files;
  }

  /** The bytes of one file. */
  async bytesOf(artifact: Digest, file: BundleAsset): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#get(artifact)).bytesOf(file);
  }

  async #get(artifact: Digest): Promise<KeptArtifact> {
    const known = this.#kept.get(artifact);
    if (known !== undefined) {
      this.#kept.delete(artifact);
      this.#kept.set(artifact, known);
      return known;
    }
    const bundle = await fetchBundle(this.#origin, artifact);
    const { assets } = bundle.index;
    const bytes = assets.reduce((sum, { length }) => sum + length, 0);
    const files = new Map(assets.map((asset) => [asset.name, asset]));
    const kept = { files, bytes, bytesOf: bundle.bytesOf };
    if (!this.#kept.has(artifact)) this.#keep(artifact, kept);
    return kept;
  }

  #keep(artifact: Digest, kept: KeptArtifact): void {
    this.#kept.set(artifact, kept);
    this.#bytes += kept.bytes;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#bytes <= BYTES_MAX || oldest === artifact) break;
      this.#kept.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}
