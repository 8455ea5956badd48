import type { Command } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";
import type { CommandContext } from "../../context.ts";
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
    const { org, key = await keyFromInput(context) } = context.given();
    await saveContext(context.env, name, { api, key, org }, input.flag("use"));
    context.io.result({ name, api, org }, () => `Added ${name}`);
  },
};

async function keyFromInput({ io }: CommandContext): Promise<string | undefined> {
  if (io.streams.stdin.isTTY) io.progress("Paste the API key, then Enter and Ctrl-D.");
  return (await io.readInput()).toString("utf8").trim() || undefined;
}
