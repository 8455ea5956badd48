/**
 * Defines a global that is made when it is first read. Most apps use few of our globals, and a
 * cold start pays a tenth of a millisecond and more for each that is made.
 */
export function defineLazyGlobal(name: string, make: () => unknown): void {
  const fix = (value: unknown) =>
    Object.defineProperty(globalThis, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: false,
    });
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      const value = make();
      fix(value);
      return value;
    },
    set: fix,
  });
}
