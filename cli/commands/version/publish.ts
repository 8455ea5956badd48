import type { Command } from "../../command.ts";
import { appArgument } from "../app/argument.ts";
import { showTraffic } from "./show-traffic.ts";

/** `ignite publish` */
export const command: Command = {
  args: [
    appArgument,
    { name: "version", summary: "v3, or 3 (default: the newest that is ready)", optional: true },
  ],
  options: [{ flags: "-m, --message <text>", summary: "what changed, kept with the version" }],
  examples: [
    ["ignite publish acme/hello", "the newest version that is ready"],
    ['ignite publish acme/hello v4 -m "Faster search"', "version 4, with a message"],
  ],
  async run(context, input) {
    const { appRef } = await import("../../api.ts");
    const app = appRef(await context.app(input.arg("app")));
    const given = input.arg("version");
    const version = given === undefined ? 0 : input.version(given);
    const message = input.text("message") ?? "";
    const answer = await (await context.compute()).publishVersion({ app, version, message });
    await showTraffic(context, answer, "Published");
  },
};
