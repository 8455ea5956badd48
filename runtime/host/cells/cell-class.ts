/** Sizes of cells. A blank cell has the smallest; apps that asked for more get a larger one. */

/** The memory that one cell's isolates may have, each. */
export interface CellClass {
  /** The app's own limit, in MiB. */
  memoryMb: number;
  /** `--max-heap-size` of V8, in MiB. */
  heapMb: number;
  /** `--wasm-max-mem-pages` of V8, 64 KiB each. */
  wasmPages: number;
}

const SIZES_MB = [128, 256, 512, 1_024, 2_048] as const;
const HEAP_SLACK_MB = 32; // V8 counts young generation and our wrapper too
const PAGES_PER_MB = 16;

/** The smallest class that fits apps with this limit. */
export function cellClassFor(memoryMb: number): CellClass {
  const size = SIZES_MB.find((candidate) => candidate >= memoryMb) ?? SIZES_MB.at(-1) ?? memoryMb;
  return { memoryMb: size, heapMb: size + HEAP_SLACK_MB, wasmPages: size * PAGES_PER_MB };
}

/** Resident size in MiB at which a cell is replaced: many isolates, or one that leaks. */
export function residentMbMark(cellClass: CellClass): number {
  return RESIDENT_BASE_MB + RESIDENT_ISOLATES * cellClass.memoryMb;
}

const RESIDENT_BASE_MB = 512;
const RESIDENT_ISOLATES = 2; // At their full size; idle ones take 2 MB each
