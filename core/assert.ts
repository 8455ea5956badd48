/**
 * Checks what must hold if our own code is right. A failure is a bug of ours, never the caller's:
 * outside data is parsed, not asserted. Throws a plain Error, which surfaces as INTERNAL.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Marks a branch that the types rule out. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
