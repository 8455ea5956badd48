/** `Deno.env` over the version's variables. Changes stay in this isolate's memory. */
export function makeEnv(vars: Record<string, string>) {
  const own = (name: string) => Object.hasOwn(vars, name);
  return {
    get: (name: string): string | undefined => (own(name) ? vars[name] : undefined),
    has: own,
    set(name: string, value: string) {
      vars[name] = String(value);
    },
    delete(name: string) {
      delete vars[name];
    },
    toObject: (): Record<string, string> => ({ ...vars }),
  };
}
