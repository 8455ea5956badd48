import type { Command } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";
import { readContexts, writeContexts } from "../../contexts.ts";

/** `ignite context use` */
export const command: Command = {
  args: [{ name: "name", summary: "one of `ignite context list`" }],
  examples: [["ignite context use local", "commands go to this machine's platform from now on"]],
  async run(context, input) {
    const name = input.required("name");
    const { contexts } = await readContexts(context.env);
    const found = contexts[name];
    if (found === undefined) {
      throw new UsageError(`There is no context "${name}".`, "ignite context list");
    }
    await writeContexts(context.env, { current: name, contexts });
    context.io.result({ name, api: found.api }, () => `Using ${name}, ${found.api}`);
  },
};
