import type { Command } from "../../command.ts";

/** `ignite restore` */
export const command: Command = {
  args: [{ name: "app", summary: "org/app, or the app alone" }],
  details: "It answers again, with the versions and the traffic that it had.",
  examples: [["ignite restore acme/hello", "within 24 hours after it was deleted"]],
  async run(context, input) {
    const { AppSchema, appRef, plain, views } = await import("../../api.ts");
    const name = appRef(await context.app(input.required("app")));
    const { app } = await (await context.compute()).updateApp({ app: name });
    if (app !== undefined) context.io.result(plain(AppSchema, app), () => views.appText(app));
  },
};
