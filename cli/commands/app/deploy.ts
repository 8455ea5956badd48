import type { Command } from "../../command.ts";
import type { CommandContext } from "../../context.ts";

/** `ignite deploy` */
export const command: Command = {
  args: [{ name: "folder", summary: "folder of the app (default: here)", optional: true }],
  options: [
    { flags: "--no-publish", summary: "stop at a tested version without traffic" },
    { flags: "-m, --message <text>", summary: "what changed, kept with the version" },
  ],
  details:
    "Reads ignite.toml, creates the app when it is missing, and leaves out what .gitignore and\n" +
    ".igniteignore name. What has traffic keeps it until the new version answers.",
  examples: [
    ["ignite deploy", "the app of this folder"],
    ['ignite deploy shop -m "Faster search"', "the app in ./shop, with a message"],
    ["ignite deploy --no-publish", "only up to a preview URL"],
  ],
  async run(context, input) {
    const startMs = performance.now();
    const [{ pushFolder }, { finishDeploy }] = await Promise.all([
      import("../../app/push.ts"),
      import("../../../sdk/deploy.ts"),
    ]);
    const { app, ports, progress } = await pushFolder(context, input.arg("folder") ?? ".");
    const { warnings, ...deployed } = await finishDeploy(ports, app, {
      message: input.text("message"),
      publish: input.flag("publish"),
      onProgress: progress.report,
    });
    const seconds = Math.round(performance.now() - startMs) / 1000;
    const result = { ...deployed, seconds, steps: progress.tookMs, warnings: warnings.length };
    context.io.result(result, () => summaryOf(context, result));
  },
};

function summaryOf(
  { io: { colors } }: CommandContext,
  done: {
    app: string;
    version: number;
    published: boolean;
    urls: readonly string[];
    seconds: number;
  },
): string {
  const verb = done.published ? "Published" : "Made, without traffic,";
  const head = `${verb} ${done.app} v${done.version} in ${done.seconds.toFixed(2)} s`;
  return [colors.green(head), ...done.urls.map((url) => `  ${colors.cyan(url)}`)].join("\n");
}
