import { servedKinds } from "../../compiler/served.ts";
import { IgniteError } from "../../core/errors.ts";

/** Fails with NOT_IMPLEMENTED where `why` says that this release does not serve an app. */
export function refuseUnserved(why: string | undefined): void {
  if (why === undefined) return;
  throw new IgniteError({
    code: "unimplemented",
    reason: "NOT_IMPLEMENTED",
    message: why,
    hint: `It compiles ${servedKinds.join(", ")}; other languages come with later releases.`,
  });
}
