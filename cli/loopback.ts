import type { LookupFunction } from "node:net";

const LOOPBACK = "127.0.0.1";

/** Resolves names below `localhost`, which not every resolver knows. */
export const lookupLoopback: LookupFunction = (_name, options, done) => {
  if (options.all) done(null, [{ address: LOOPBACK, family: 4 }]);
  else done(null, LOOPBACK, 4);
};

/** Whether only this machine reaches who listens at the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
