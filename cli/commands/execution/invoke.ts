import { readFile } from "node:fs/promises";
import type { Command, Input } from "../../command.ts";
import { UsageError } from "../../usage-error.ts";
import type { CommandContext } from "../../context.ts";
import { appArgument } from "../app/argument.ts";

/** `ignite invoke` */
export const command: Command = {
  args: [appArgument, { name: "path", summary: "path and query (default: /)", optional: true }],
  options: [
    { flags: "-X, --method <method>", summary: "default: GET, or POST with a body" },
    { flags: "-d, --data <body>", summary: "body; @FILE takes a file, @- stdin" },
    { flags: "-H, --header <name:value>", summary: "header field", repeatable: true },
    { flags: "--async", summary: "queue it and print the execution; this release refuses" },
    { flags: "--version <version>", summary: "ask this version, whatever the traffic" },
    { flags: "--stream", summary: "with --json: print the body in pieces as they come" },
  ],
  details:
    "Prints the body as it comes. Ends with 1 when the app answers with a status from 400 on.",
  examples: [
    ["ignite invoke acme/hello", "GET /"],
    ["ignite invoke /todos", "of the app of this folder"],
    [
      'ignite invoke acme/hello /todos -d \'{"title":"x"}\' -H content-type:application/json',
      "POST",
    ],
    ["ignite invoke acme/hello /upload -d @photo.jpg", "send a file"],
    ["ignite invoke acme/hello --version v3", "preview version 3"],
  ],
  async run(context, input) {
    const { appOf } = await import("../../../sdk/app.ts");
    const first = input.arg("app");
    const isPath = first?.startsWith("/") === true;
    const name = await context.app(isPath ? undefined : first);
    const given = input.text("version");
    const options = given === undefined ? {} : { version: input.version(given) };
    const app = appOf(await context.connection(), name, options);
    const path = (isPath ? first : input.arg("path")) ?? "/";
    const init = await requestOf(context, input);
    if (input.flag("async")) {
      const { id } = await app.enqueue(path, init);
      return context.io.result({ id, status: "QUEUED" }, () => id);
    }
    await show(context, input, await app.fetch(path, init));
  },
};

async function requestOf(context: CommandContext, input: Input): Promise<RequestInit> {
  const headers = new Headers();
  for (const field of input.list("header")) {
    const colon = field.indexOf(":");
    if (colon < 1) throw new UsageError(`"${field}" is not a header. Write name:value.`);
    headers.append(field.slice(0, colon).trim(), field.slice(colon + 1).trim());
  }
  const body = await bodyOf(context, input.text("data"));
  const method = input.text("method")?.toUpperCase() ?? (body === undefined ? "GET" : "POST");
  return { method, headers, redirect: "manual", ...(body && { body }) };
}

async function bodyOf(
  context: CommandContext,
  data: string | undefined,
): Promise<Uint8Array<ArrayBuffer> | string | undefined> {
  if (data === undefined || !data.startsWith("@")) return data;
  if (data === "@-") return new Uint8Array(await context.io.readInput());
  const path = data.slice(1);
  return readFile(context.path(path)).then(
    (bytes) => new Uint8Array(bytes),
    (error: Error) => {
      throw new UsageError(`The body cannot be read from ${path}: ${error.message}.`);
    },
  );
}

async function show(context: CommandContext, input: Input, response: Response): Promise<void> {
  const { io } = context;
  const { status, headers, body } = response;
  const requestId = headers.get("ignite-request-id") ?? undefined;
  const head = { status, headers: Object.fromEntries(headers), requestId };
  if (!io.json) {
    const { dim } = io.errorColors;
    io.progress(dim(`HTTP ${status}${requestId === undefined ? "" : `, request ${requestId}`}`));
    if (body !== null) await io.copy(body);
  } else if (input.flag("stream")) {
    io.item({ head }, () => "");
    const text = body?.pipeThrough(new TextDecoderStream());
    for await (const chunk of text ?? []) io.item({ body: chunk }, () => "");
  } else {
    io.result({ ...head, body: await response.text() }, () => "");
  }
  if (status >= 400) context.exitCode = 1;
}
