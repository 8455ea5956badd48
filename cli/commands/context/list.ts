import type { Command } from "../../command.ts";
import { readContexts } from "../../contexts.ts";
import { table } from "../../io.ts";

const KEY_CHARACTERS_SHOWN = 8; // The part that `ignite keys list` shows as well

/** `ignite context list` */
export const command: Command = {
  details: "Keys are shown by their first characters only.",
  examples: [["ignite context list", "the current one has a star"]],
  async run(context) {
    const { current, contexts } = await readContexts(context.env);
    const all = Object.entries(contexts).map(([name, { api, key, org }]) => ({
      name,
      current: name === current,
      api,
      org,
      key: key === undefined ? undefined : `${key.slice(0, KEY_CHARACTERS_SHOWN)}…`,
    }));
    const rows = () =>
      all.map((one) => [
        `${one.current ? "*" : " "} ${one.name}`,
        one.api,
        one.org ?? "",
        one.key ?? "",
      ]);
    context.io.result(all, () =>
      all.length === 0
        ? "No contexts yet. `ignite up` makes one, `ignite context add` another."
        : table(["  CONTEXT", "ADDRESS", "ORGANIZATION", "KEY"], rows()),
    );
  },
};
