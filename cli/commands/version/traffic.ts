import type { Command, Input } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";
import type { CommandContext } from "../../context.ts";
import { appArgument } from "../app/argument.ts";

const STICKY_MODES = { none: 1, cookie: 2, header: 3 } as const; // Sticky_Mode of the API

/** `ignite traffic` */
export const command: Command = {
  args: [
    appArgument,
    { name: "shares", summary: "v3=90 v4=10, in percent", optional: true, variadic: true },
  ],
  options: [
    {
      flags: "--sticky <mode>",
      summary: "how a caller stays on its version",
      choices: Object.keys(STICKY_MODES),
    },
  ],
  examples: [
    ["ignite traffic", "show the split of the app of this folder"],
    ["ignite traffic acme/hello v3=90 v4=10", "try version 4 on a tenth of the requests"],
    ["ignite traffic acme/hello v3=50 v4=50 --sticky cookie", "and let callers stay"],
  ],
  async run(context, input) {
    const { AppSchema, appRef, plain, views } = await import("../../api.ts");
    const first = input.arg("app");
    const isShare = first?.includes("=") === true; // No app has that in its name
    const shares = isShare ? [first, ...input.rest("shares")] : input.rest("shares");
    const name = appRef(await context.app(isShare ? undefined : first));
    const compute = await context.compute();
    const asked = shares.length > 0 || input.text("sticky") !== undefined;
    const current = async () => (await compute.getApp({ app: name })).app;
    const app = asked ? await split(context, { shares, input }, name, current) : await current();
    if (app === undefined) return;
    context.io.result(plain(AppSchema, app), () => `${app.fullName}: ${views.trafficText(app)}`);
  },
};

async function split(
  context: CommandContext,
  { shares, input }: { shares: readonly string[]; input: Input },
  name: ReturnType<typeof import("../../api.ts")["appRef"]>,
  current: () => Promise<{ traffic: { version: number; weightPercent: number }[] } | undefined>,
) {
  const given = parseShares(shares, input);
  const traffic = given.length > 0 ? given : ((await current())?.traffic ?? []);
  const mode = input.text("sticky") as keyof typeof STICKY_MODES | undefined;
  const sticky = mode === undefined ? {} : { sticky: { mode: STICKY_MODES[mode] } };
  return (await (await context.compute()).setTraffic({ app: name, traffic, ...sticky })).app;
}

function parseShares(
  texts: readonly string[],
  input: Input,
): { version: number; weightPercent: number }[] {
  const shares = texts.map((text) => {
    const [version, percent, ...more] = text.split("=");
    const weightPercent = /^[0-9]{1,3}%?$/.test(percent ?? "")
      ? Number.parseInt(percent ?? "", 10)
      : -1;
    if (more.length > 0 || weightPercent < 0 || weightPercent > 100) {
      throw new UsageError(`"${text}" is not a share. Write v3=90 for 90 percent.`);
    }
    return { version: input.version(version), weightPercent };
  });
  const sum = shares.reduce((total, share) => total + share.weightPercent, 0);
  if (shares.length > 0 && sum !== 100) {
    throw new UsageError(`The shares add up to ${sum} percent instead of 100.`);
  }
  return shares;
}
