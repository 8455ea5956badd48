import type { BuildClient } from "../../../sdk/clients/build.ts";
import type { CommandContext } from "../../context.ts";

/** The client of image builds. */
export async function buildClientOf(context: CommandContext): Promise<BuildClient> {
  const { buildClient } = await import("../../../sdk/clients/build.ts");
  return buildClient(await context.transport());
}
