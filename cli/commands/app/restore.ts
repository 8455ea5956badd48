import type { Command } from "../../command.ts";

/** `ignite restore` */
export const command: Command = {
  args: [{ name: "app", summary: "org/app, or the app alone" }],
  details: "It answers again, with the versions and the traffic that it had.",
  examples: [["ignite restore acme/hello", "within 24 hours after it was deleted"]],
  async run(context, input) {
    const { AppSchema, appRef, IgniteApiError, plain, views } = await import("../../api.ts");
    const name = await context.app(input.required("app"));
    const compute = await context.compute();
    const isThere = await compute.getApp({ app: appRef(name) }).then(
      () => true,
      (error: unknown) => {
        if (IgniteApiError.from(error).code === "not_found") return false;
        throw error;
      },
    );
    const { app } = await compute.updateApp({ app: appRef(name) });
    if (isThere) context.io.progress(`${name} was not deleted; it is left as it is.`);
    if (app !== undefined) context.io.result(plain(AppSchema, app), () => views.appText(app));
  },
};
