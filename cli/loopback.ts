import type { LookupFunction } from "node:net";

const LOOPBACK = "127.0.0.1";

/** Resolves names below `localhost`, which not every resolver knows. */
export const lookupLoopback: LookupFunction = (_name, options, done) => {
  if (options.all) done(null, [{ address: LOOPBACK, family: 4 }]);
  else done(null, LOOPBACK, 4);
};
