import type { Command, Input } from "../../command.ts";
import type { CommandContext } from "../../context.ts";
import { UsageError } from "../../usage-error.ts";

const ROLES = { invoker: 1, reader: 2, developer: 3, owner: 4 } as const; // Role of the API
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

/** `ignite keys create` */
export const command: Command = {
  args: [{ name: "name", summary: "what it is for" }],
  options: [
    {
      flags: "--role <role>",
      summary: "what it may do",
      choices: Object.keys(ROLES),
      fallback: "developer",
    },
    { flags: "--app <name>", summary: "limit it to an app", repeatable: true },
    { flags: "--expires <time>", summary: "when it stops working: 12h, 30d (default: never)" },
  ],
  details: "The key is printed once, on stdout, and can never be read again.",
  examples: [
    ["ignite keys create ci --role developer --expires 90d", "for deploys from CI"],
    ["ignite keys create web --role invoker --app hello", "for one caller of one app"],
  ],
  async run(context, input) {
    const [{ ApiKeySchema }, { plain }, { org }, client] = await Promise.all([
      import("../../../proto/gen/ignite/v1/key_pb.ts"),
      import("../../api.ts"),
      context.target(),
      context.keys(),
    ]);
    const expireTime = await expiryOf(input);
    const { key, secret } = await client.createKey({
      organization: org ?? "",
      name: input.required("name"),
      role: ROLES[(input.text("role") ?? "developer") as keyof typeof ROLES],
      apps: [...input.list("app")],
      ...(expireTime && { expireTime }),
    });
    if (key === undefined) return;
    for (const app of await absent(context, input.list("app"))) {
      context.io.progress(`There is no app ${app} yet; the key is good for it once there is.`);
    }
    context.io.progress(`Made ${key.id}. Keep the key below: it is shown only now.`);
    context.io.result({ ...plain(ApiKeySchema, key), secret }, () => secret);
  },
};

/** Which of these apps do not exist. */
async function absent(context: CommandContext, apps: readonly string[]): Promise<string[]> {
  const { IgniteApiError, appRef } = await import("../../api.ts");
  const compute = await context.compute();
  const asked = apps.map(async (app) => {
    const found = compute.getApp({ app: appRef(await context.app(app)) });
    return found.then(
      () => [],
      (error: unknown) => (IgniteApiError.from(error).code === "not_found" ? [app] : []),
    );
  });
  return (await Promise.all(asked)).flat();
}

async function expiryOf(input: Input) {
  const text = input.text("expires");
  if (text === undefined) return undefined;
  const [, count, unit] = /^([1-9][0-9]{0,4})([hd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ""];
  if (unitMs === undefined) throw new UsageError(`"${text}" is not a time. Write 12h, or 30d.`);
  const { timestampFromMs } = await import("@bufbuild/protobuf/wkt");
  return timestampFromMs(Date.now() + Number(count) * unitMs);
}
