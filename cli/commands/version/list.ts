import type { Command } from "../../command.ts";
import { collect, limitOption } from "../../pages.ts";
import { appArgument } from "../app/argument.ts";

/** `ignite versions` */
export const command: Command = {
  args: [appArgument],
  options: [limitOption],
  examples: [
    ["ignite versions", "of the app of this folder, newest first"],
    ["ignite versions acme/hello --json", "as a JSON array"],
  ],
  async run(context, input) {
    const { VersionSchema, appRef, plain, views } = await import("../../api.ts");
    const app = appRef(await context.app(input.arg("app")));
    const compute = await context.compute();
    const versions = await collect(input, async (page) => {
      const { versions: items, nextPageToken } = await compute.listVersions({ app, ...page });
      return { items, nextPageToken };
    });
    context.io.result(
      versions.map((version) => plain(VersionSchema, version)),
      () => views.versionTable(versions, context.io.colors),
    );
  },
};
