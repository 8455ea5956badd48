import type { SecretClient } from "../../../sdk/clients/secret.ts";
import type { ArgumentSpec, Input } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";
import type { CommandContext } from "../../context.ts";

/** The secret that a command is about. */
export const secretArgument: ArgumentSpec = {
  name: "name",
  summary: "name of the secret, such as stripe or prod/stripe",
};

/** The client, and the organization that calls name. */
export async function secretClientOf(
  context: CommandContext,
): Promise<{ client: SecretClient; organization: string }> {
  const { secretClient } = await import("../../../sdk/clients/secret.ts");
  const [transport, { org }] = await Promise.all([context.transport(), context.target()]);
  return { client: secretClient(transport), organization: org ?? "" };
}

/** The version numbers of a variadic argument. Throws a UsageError when there are none. */
export function versionsOf(input: Input): number[] {
  const versions = input.rest("versions").map((text) => input.version(text));
  if (versions.length === 0) throw new UsageError("Which versions? Name them, as in v1 v2.");
  return versions;
}
