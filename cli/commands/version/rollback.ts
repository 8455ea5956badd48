import type { Command } from "../../command.ts";
import { appArgument } from "../app/argument.ts";
import { showTraffic } from "./show-traffic.ts";

/** `ignite rollback` */
export const command: Command = {
  args: [
    appArgument,
    { name: "version", summary: "v3, or 3 (default: the one before)", optional: true },
  ],
  details: "Nothing is compiled: the version is there, and gets the traffic again.",
  examples: [
    ["ignite rollback acme/hello", "to the version that was active before"],
    ["ignite rollback acme/hello v3", "to version 3"],
  ],
  async run(context, input) {
    const { appRef } = await import("../../api.ts");
    const app = appRef(await context.app(input.arg("app")));
    const given = input.arg("version");
    const version = given === undefined ? 0 : input.version(given);
    const compute = await context.compute();
    const answer = await compute.rollback({ app, version });
    await showTraffic(context, answer, "Rolled back to");
  },
};
