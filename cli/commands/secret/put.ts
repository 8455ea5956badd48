import { readFile } from "node:fs/promises";
import type { Command, Input } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";
import type { CommandContext } from "../../context.ts";
import { secretArgument, secretClientOf } from "./client.ts";

/** `ignite secrets put` */
export const command: Command = {
  args: [secretArgument],
  options: [
    { flags: "--from-file <file>", summary: "take the value from a file, byte for byte" },
    {
      flags: "--field <name>",
      summary: "field of the secret that has the value",
      fallback: "value",
    },
    { flags: "--object", summary: "the input is a JSON object of several fields" },
    { flags: "--cas <version>", summary: "fail unless this is the newest version; 0: none exists" },
  ],
  details:
    "The value comes from stdin or a file, never from the command line, where other users of the\n" +
    "machine could read it. One line break at the end of stdin is left out.",
  examples: [
    ["ignite secrets put stripe < key.txt", "a value from stdin"],
    ["ignite secrets put tls --field cert --from-file cert.pem", "a field from a file"],
    ["ignite secrets put db --object < db.json", "several fields at once"],
  ],
  async run(context, input) {
    const { client, organization } = await secretClientOf(context);
    const name = input.required("name");
    const checkAndSet = input.number("cas");
    const answer = await client.putSecret({
      name,
      organization,
      dataJson: await dataOf(context, input),
      ...(checkAndSet === undefined ? {} : { checkAndSet }),
    });
    const version = answer.version?.version ?? 0;
    context.io.result({ name, version }, () => `Put ${name}, version ${version}`);
  },
};

async function dataOf(context: CommandContext, input: Input): Promise<string> {
  const value = await readValue(context, input);
  if (!input.flag("object")) return JSON.stringify({ [input.text("field") ?? "value"]: value });
  const object = parseObject(value);
  if (object !== undefined) return JSON.stringify(object);
  throw new UsageError("The input is not a JSON object.");
}

async function readValue(context: CommandContext, input: Input): Promise<string> {
  const file = input.text("fromFile");
  if (file === undefined) {
    if (context.io.streams.stdin.isTTY) context.io.progress("Type the value, then Ctrl-D.");
    return (await context.io.readInput()).toString("utf8").replace(/\r?\n$/, "");
  }
  return readFile(context.path(file), "utf8").catch((error: Error) => {
    throw new UsageError(`The value cannot be read from ${file}: ${error.message}.`);
  });
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const fits = typeof value === "object" && value !== null && !Array.isArray(value);
    return fits ? value : undefined;
  } catch {
    return undefined;
  }
}
