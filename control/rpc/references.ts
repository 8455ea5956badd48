/** Reads the references that requests of all nouns carry. */
import type { AppRef } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { AppReference } from "../operations/apps.ts";
import { invalidArgument } from "../operations/failures.ts";

/** The app that a request names. Fails with INVALID_ARGUMENT when it names none. */
export function appReferenceOf(app: AppRef | undefined): AppReference {
  if (app?.value.case === "id") return { id: app.value.value };
  if (app?.value.case === "name") return { name: app.value.value };
  throw invalidArgument("app", "it names no app.");
}
