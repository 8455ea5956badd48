import type { Command } from "../../command.ts";

/** `ignite draft push` */
export const command: Command = {
  args: [{ name: "folder", summary: "folder of the app (default: here)", optional: true }],
  examples: [["ignite draft push", "upload the app of this folder; nothing is compiled"]],
  async run(context, input) {
    const [{ pushFolder }, { DraftSchema, appRef, plain }] = await Promise.all([
      import("../../app/push.ts"),
      import("../../api.ts"),
    ]);
    const { app, ports } = await pushFolder(context, input.arg("folder") ?? ".");
    const { draft } = await ports.compute.getDraft({ app: appRef(app) });
    if (draft === undefined) return;
    context.io.result(
      plain(DraftSchema, draft),
      () => `The draft of ${app} is ${draft.sourceDigest.slice(0, 12)}`,
    );
  },
};
