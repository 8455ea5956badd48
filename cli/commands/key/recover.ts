import { resolve } from "node:path";
import type { Command } from "../../command.ts";
import { readContexts, saveContext } from "../../contexts.ts";

/** `ignite keys recover` */
export const command: Command = {
  options: [{ flags: "--data <folder>", summary: "its data folder", fallback: ".ignite/data" }],
  details:
    "For who administers the machine: asks for no key, but for the data folder of a platform that\n" +
    "runs. Without --org the key operates the platform. It is printed once, on stdout.",
  examples: [
    ["ignite keys recover --data /var/lib/ignite", "a new operator key"],
    ["ignite keys recover --org acme", "a new owner's key of an organization"],
  ],
  async run(context, input) {
    const [{ findRunning }, { postInternal }, { socketsIn }] = await Promise.all([
      import("../../platform/data-folder.ts"),
      import("../../platform/internal.ts"),
      import("../../platform/backend.ts"),
    ]);
    const { io, env } = context;
    const data = resolve(context.cwd, input.text("data") ?? ".ignite/data");
    const { run, masterKey } = await findRunning(data);
    const address = { socketPath: socketsIn(run).internal, masterKey };
    const wanted = { org: context.given().org };
    const made = await postInternal<{ org: string; key: string }>(
      address,
      "/internal/keys",
      wanted,
    );
    const local = (await readContexts(env)).contexts["local"];
    const isLocal = local?.org === made.org && wanted.org === undefined;
    if (isLocal) await saveContext(env, "local", { ...local, key: made.key });
    const saved = isLocal ? ' It is saved as context "local".' : "";
    io.progress(`Made a key of ${made.org}. Keep it: it is shown only now.${saved}`);
    io.result(made, () => made.key);
  },
};
