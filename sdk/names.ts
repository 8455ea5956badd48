import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AppRefSchema } from "../proto/gen/ignite/v1/ignite_common_pb.ts";

/** `acme/hello`, taken apart. Throws a TypeError when it is not of that form. */
export function splitName(fullName: string): { org: string; name: string } {
  const [org, name, ...rest] = fullName.split("/");
  if (!org || !name || rest.length > 0) {
    throw new TypeError(`"${fullName}" is not an app's name. Write "organization/app".`);
  }
  return { org, name };
}

/** Names an app in a call: by id when it looks like one (`app_…`), else by its full name. */
export function appRef(app: string): MessageInitShape<typeof AppRefSchema> {
  const kind = /^app_[0-9a-hjkmnp-tv-z]{26}$/.test(app) ? "id" : "name";
  return { value: { case: kind, value: app } };
}
