import type { Command } from "../../command.ts";
import { fields } from "../../io.ts";
import { appArgument } from "../app/argument.ts";

/** `ignite draft show` */
export const command: Command = {
  args: [appArgument],
  examples: [["ignite draft show acme/hello", "source, configuration, last version"]],
  async run(context, input) {
    const { DraftSchema, appRef, plain, views } = await import("../../api.ts");
    const app = appRef(await context.app(input.arg("app")));
    const { draft } = await (await context.compute()).getDraft({ app });
    if (draft === undefined) return;
    const code = draft.code?.kind;
    const language = code?.case === "compile" ? code.value.runtime?.language.case : code?.case;
    context.io.result(plain(DraftSchema, draft), () =>
      fields([
        ["App", draft.app],
        ["Runtime", language ?? "nothing pushed yet"],
        ["Source", draft.sourceDigest],
        ["Variables", Object.keys(draft.config?.vars ?? {}).join(", ")],
        ["Secrets", Object.keys(draft.config?.secrets ?? {}).join(", ")],
        ["Version", draft.lastVersion > 0 ? `v${draft.lastVersion}` : ""],
        ["Changed", views.time(draft.updateTime)],
      ]),
    );
  },
};
