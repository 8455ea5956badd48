import type { Command } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";

/** `ignite delete` */
export const command: Command = {
  args: [{ name: "app", summary: "org/app, or the app alone" }],
  options: [{ flags: "-y, --yes", summary: "do not ask" }],
  details:
    "Its URLs stop at once. For 24 hours `ignite restore` brings it back. On a terminal it asks\n" +
    "first.",
  examples: [
    ["ignite delete acme/hello", "asks, then deletes"],
    ["ignite delete acme/hello --yes", "deletes at once"],
  ],
  async run(context, input) {
    const { AppSchema, appRef, plain } = await import("../../api.ts");
    const { io } = context;
    const name = await context.app(input.required("app"));
    const asks = io.streams.stdin.isTTY === true && !input.flag("yes");
    if (asks && !(await io.confirm(`Delete ${name}?`)))
      throw new UsageError("Nothing was deleted.");
    const { app } = await (await context.compute()).deleteApp({ app: appRef(name) });
    if (app !== undefined) io.result(plain(AppSchema, app), () => `Deleted ${app.fullName}`);
  },
};
