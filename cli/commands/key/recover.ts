import { resolve } from "node:path";
import type { Command } from "../../command.ts";
import { CommandContext } from "../../context.ts";
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
    const { io } = context;
    const data = resolve(context.cwd, input.text("data") ?? ".ignite/data");
    const { run, masterKey } = await findRunning(data);
    const address = { socketPath: socketsIn(run).internal, masterKey };
    const wanted = { org: context.given().org };
    const made = await postInternal<{ org: string; key: string }>(
      address,
      "/internal/keys",
      wanted,
    );
    const saved = await saveLocal(context, made);
    io.progress(`Made a key of ${made.org}. Keep it: it is shown only now.${saved}`);
    io.result(made, () => made.key);
  },
};

/** Replaces the key of the context "local" when that is the same platform; says so. */
async function saveLocal(
  context: CommandContext,
  { org, key }: { org: string; key: string },
): Promise<string> {
  const local = (await readContexts(context.env)).contexts["local"];
  if (local?.org !== org) return "";
  const { api } = local;
  const keys = await new CommandContext(context, { api, key }).keys();
  const isKnown = await keys.whoAmI({}).then(
    () => true,
    () => false,
  );
  if (!isKnown) return "";
  await saveContext(context.env, "local", { ...local, key });
  return ' It is saved as context "local".';
}
