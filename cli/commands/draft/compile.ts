import type { Command } from "../../command.ts";
import { appArgument } from "../app/argument.ts";

/** `ignite draft compile` */
export const command: Command = {
  args: [appArgument],
  options: [{ flags: "-m, --message <text>", summary: "what changed, kept with the version" }],
  examples: [["ignite draft compile acme/hello", "a new version, without traffic"]],
  async run(context, input) {
    const [{ VersionSchema, plain }, { compileDraft }, { portsOf }, { DeployProgress }] =
      await Promise.all([
        import("../../api.ts"),
        import("../../../sdk/deploy.ts"),
        import("../../app/push.ts"),
        import("../../app/progress.ts"),
      ]);
    const app = await context.app(input.arg("app"));
    const version = await compileDraft(await portsOf(context), app, {
      message: input.text("message"),
      onProgress: new DeployProgress(context.io, app).report,
    });
    context.io.result(plain(VersionSchema, version), () =>
      [`${app} v${version.number} is ready`, `  ${version.previewUrl}`].join("\n"),
    );
  },
};
