import type { Command } from "../../command.ts";
import { table } from "../../io.ts";
import { collect, limitOption } from "../../pages.ts";

/** `ignite apps` */
export const command: Command = {
  options: [limitOption, { flags: "--deleted", summary: "list deleted apps too" }],
  examples: [
    ["ignite apps", "the apps of the organization, by name"],
    ["ignite apps --json", "as a JSON array"],
  ],
  async run(context, input) {
    const { AppSchema, plain, views } = await import("../../api.ts");
    const [compute, { org }] = await Promise.all([context.compute(), context.target()]);
    const apps = await collect(input, async (page) => {
      const includeDeleted = input.flag("deleted");
      const organization = org ?? "";
      const answer = await compute.listApps({ organization, includeDeleted, ...page });
      return { items: answer.apps, nextPageToken: answer.nextPageToken };
    });
    const { colors } = context.io;
    const rows = () =>
      apps.map((app) => [
        app.fullName,
        app.deleteTime === undefined ? views.trafficText(app) : colors.red("deleted"),
        views.time(app.updateTime),
        app.urls[0] ?? "",
      ]);
    context.io.result(
      apps.map((app) => plain(AppSchema, app)),
      () =>
        apps.length === 0
          ? "No apps yet. Make one with `ignite init`."
          : table(["APP", "TRAFFIC", "CHANGED", "URL"], rows()),
    );
  },
};
