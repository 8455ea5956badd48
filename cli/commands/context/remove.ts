import type { Command } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";
import { readContexts, writeContexts } from "../../contexts.ts";

/** `ignite context remove` */
export const command: Command = {
  args: [{ name: "name", summary: "one of `ignite context list`" }],
  examples: [["ignite context remove work", "forget a platform and its key"]],
  async run(context, input) {
    const name = input.required("name");
    const { current, contexts } = await readContexts(context.env);
    if (contexts[name] === undefined) {
      throw new UsageError(`There is no context "${name}".`, "ignite context list");
    }
    const { [name]: _removed, ...rest } = contexts;
    await writeContexts(context.env, {
      current: current === name ? undefined : current,
      contexts: rest,
    });
    context.io.result({ name, removed: true }, () => `Removed ${name}`);
  },
};
