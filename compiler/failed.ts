/** The one way in which a compile ends because of its source. */
import { IgniteError, type Reason } from "../core/errors.ts";

/** An error that becomes a result with `ok: false`; what is wrong in detail are diagnostics. */
export function failed(reason: Reason, message: string): IgniteError {
  return new IgniteError({ code: "failed_precondition", reason, message });
}
