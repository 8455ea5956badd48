/** Credentials between our own processes, derived from the master key so that none is stored. */
import { hkdfSync } from "node:crypto";

/** The bearer token of the store (see region/store). */
export function storeTokenOf(masterKey: Buffer): string {
  return Buffer.from(hkdfSync("sha256", masterKey, "", "ignite/store-token", 32)).toString("hex");
}
