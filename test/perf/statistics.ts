/** What a few noisy measurements say together. Nothing here assumes a distribution. */

/** The middle value; the mean of the two middle ones when there are two. Throws without values. */
export function median(values: readonly number[]): number {
  const sorted = sortedOf(values);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** The smallest value that at least `percent` of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent > 0 && percent <= 100)) throw new RangeError(`${percent} is no percentile`);
  const sorted = sortedOf(values);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0;
}

/** The largest value. */
export function maximum(values: readonly number[]): number {
  return sortedOf(values).at(-1) ?? 0;
}

/**
 * The median of the ratios of pairs that were measured one right after the other: what slows the
 * machine down for a while slows both of a pair.
 */
export function medianRatio(ours: readonly number[], peers: readonly number[]): number {
  if (ours.length !== peers.length) throw new RangeError("each measurement needs its pair");
  return median(ours.map((value, at) => value / (peers[at] ?? Number.NaN)));
}

/** Relative change from the median of the first third to that of the last third. */
export function drift(values: readonly number[]): number {
  const third = Math.max(1, Math.floor(values.length / 3));
  const first = median(values.slice(0, third));
  return median(values.slice(-third)) / first - 1;
}

/** How often each of `count` ranks is asked for by Zipf's law, adding up to one. */
export function zipfShares(count: number, exponent = 1): number[] {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + 1) ** exponent);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Draws ranks by their shares; the same seed gives the same trace. */
export function drawer(shares: readonly number[], seed: number): () => number {
  let sum = 0;
  const bounds = shares.map((share) => {
    sum += share;
    return sum;
  });
  const random = mulberry(seed);
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = bounds.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((bounds[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

function sortedOf(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError("there is nothing to measure");
  if (values.some(Number.isNaN)) throw new RangeError("a measurement is not a number");
  return values.toSorted((a, b) => a - b);
}

/** Mulberry32: 32 bits of state are plenty for a trace. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
