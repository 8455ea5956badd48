import type { AdminClient } from "../../../sdk/clients/admin.ts";
import type { CommandContext } from "../../context.ts";

/** The client of the platform's operators. */
export async function adminClientOf(context: CommandContext): Promise<AdminClient> {
  const { adminClient } = await import("../../../sdk/clients/admin.ts");
  return adminClient(await context.transport());
}
