/** Who is calling: found at the edge of the process, the first argument of every operation. */
import type { KeyId } from "../core/ids.ts";
import type { KeyRole } from "./ports.ts";

/** A caller with a valid key. */
export interface Principal {
  keyId: KeyId;
  /** Name of the key's organization, the only one it can see. */
  org: string;
  role: KeyRole;
  /** App names it is limited to; empty means all. */
  apps: readonly string[];
  operator: boolean;
}

/** One call, from whoever it comes. */
export interface CallContext {
  principal: Principal;
  requestId: string;
  /** Fires when nobody waits for the answer any more. */
  signal: AbortSignal;
  /** The credential of the call, to be passed on when the caller invokes an app. */
  credential: string;
  /** Lets work outlive the answer. */
  defer(work: Promise<unknown>): void;
}
