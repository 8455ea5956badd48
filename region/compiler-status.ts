/** How this machine's compiler is, for `/readyz` and `ignite doctor`. */
import type { Toolchain } from "../compiler/deno/toolchain.ts";
import { IgniteError } from "../core/errors.ts";

/** What is known of it. `why` says why it failed, or why compiles have no walls. */
export interface CompilerStatus {
  state: "preparing" | "ready" | "failed";
  sandboxed: boolean;
  why: string;
}

/** Calls `prepare`, and notes what comes of it. */
export function watchedCompiler<Tools extends { toolchain: Pick<Toolchain, "sandbox"> }>(
  prepare: () => Promise<Tools>,
): { prepare(): Promise<Tools>; status(): CompilerStatus } {
  let status: CompilerStatus = { state: "preparing", sandboxed: false, why: "" };
  return {
    status: () => status,
    async prepare() {
      try {
        const tools = await prepare();
        status = statusOf(tools.toolchain);
        return tools;
      } catch (error) {
        status = { state: "failed", sandboxed: false, why: IgniteError.from(error).message };
        throw error;
      }
    },
  };
}

function statusOf({ sandbox }: Pick<Toolchain, "sandbox">): CompilerStatus {
  if (sandbox.kind === "jailed") return { state: "ready", sandboxed: true, why: "" };
  const state = sandbox.kind === "refused" ? "failed" : "ready";
  return { state, sandboxed: false, why: sandbox.why };
}
