import type { Command } from "../../command.ts";
import { appArgument } from "./argument.ts";

/** `ignite app` */
export const command: Command = {
  args: [appArgument],
  examples: [
    ["ignite app", "the app of this folder"],
    ["ignite app acme/hello --json", "all that is known, as JSON"],
  ],
  async run(context, input) {
    const { AppSchema, appRef, plain, views } = await import("../../api.ts");
    const name = appRef(await context.app(input.arg("app")));
    const compute = await context.compute();
    const { app } = await compute.getApp({ app: name });
    if (app === undefined) return;
    const { activeVersion: version } = app;
    const asksVersion = app.access === undefined && version > 0 && !context.io.json;
    const active = asksVersion ? await compute.getVersion({ app: name, version }) : undefined;
    const config = active?.version?.config;
    context.io.result(plain(AppSchema, app), () => views.appText(app, config));
  },
};
