import type { Command } from "../../command.ts";
import type { CommandContext } from "../../context.ts";
import { UsageError } from "../../usage-error.ts";

/** `ignite delete` */
export const command: Command = {
  args: [{ name: "app", summary: "org/app, or the app alone" }],
  options: [{ flags: "-y, --yes", summary: "do not ask" }],
  details:
    "Its URLs stop at once. For 24 hours `ignite restore` brings it back. It asks first; where\n" +
    "nobody can answer it takes --yes.",
  examples: [
    ["ignite delete acme/hello", "asks, then deletes"],
    ["ignite delete acme/hello --yes", "deletes at once"],
  ],
  async run(context, input) {
    const { AppSchema, appRef, plain } = await import("../../api.ts");
    const { io } = context;
    const name = await context.app(input.required("app"));
    if (!input.flag("yes")) await ask(context, name);
    const { app } = await (await context.compute()).deleteApp({ app: appRef(name) });
    if (app !== undefined) io.result(plain(AppSchema, app), () => `Deleted ${app.fullName}`);
  },
};

async function ask({ io }: CommandContext, name: string): Promise<void> {
  if (io.streams.stdin.isTTY !== true) {
    throw new UsageError(`Nobody is there to ask. To delete ${name}, add --yes.`);
  }
  if (!(await io.confirm(`Delete ${name}?`))) throw new UsageError("Nothing was deleted.");
}
