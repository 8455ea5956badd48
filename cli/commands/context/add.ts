import type { Command } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";
import { CommandContext } from "../../context.ts";
import { saveContext } from "../../contexts.ts";

/** `ignite context add` */
export const command: Command = {
  args: [
    { name: "name", summary: "what you call it" },
    { name: "url", summary: "address of the platform" },
  ],
  options: [{ flags: "--use", summary: "make it the current one" }],
  details:
    "The API key comes from stdin, unless --key or IGNITE_KEY gives it. It is kept in a file that\n" +
    "only you can read.",
  examples: [["ignite context add work https://ignite.acme.dev --use < key.txt", "add and use it"]],
  async run(context, input) {
    const name = input.required("name");
    const api = input.required("url");
    if (!/^https?:\/\/[^/?#]+\/?$/.test(api)) {
      throw new UsageError(`"${api}" is not an address. Write https://ignite.acme.dev.`);
    }
    const { org: given, key = await keyFromInput(context) } = context.given();
    const org = given ?? (await organizationOf(context, { api, key }));
    await saveContext(context.env, name, { api, key, org }, input.flag("use"));
    context.io.result({ name, api, org }, () =>
      org === undefined ? `Added ${name}` : `Added ${name}, of the organization ${org}`,
    );
  },
};

/**
 * Whose key it is; undefined where the platform does not say, which may come up later. Fails when
 * it says that the key is none.
 */
async function organizationOf(
  context: CommandContext,
  { api, key }: { api: string; key: string | undefined },
): Promise<string | undefined> {
  if (key === undefined) return undefined;
  try {
    return await new CommandContext(context, { api, key }).organization();
  } catch (error) {
    const { IgniteApiError } = await import("../../api.ts");
    if (IgniteApiError.from(error).code === "unauthenticated") throw error;
    context.io.progress(`The platform did not say whose key it is: ${(error as Error).message}`);
    return undefined;
  }
}

async function keyFromInput({ io }: CommandContext): Promise<string | undefined> {
  if (io.streams.stdin.isTTY) io.progress("Paste the API key, then Enter and Ctrl-D.");
  return (await io.readInput()).toString("utf8").trim() || undefined;
}
