import type { Command } from "../../command.ts";
import { appArgument } from "../app/argument.ts";

/** `ignite draft test` */
export const command: Command = {
  args: [appArgument],
  options: [
    { flags: "--path <path>", summary: "send GET to it and show the answer", repeatable: true },
    { flags: "--of <version>", summary: "another version than the newest that is ready" },
  ],
  details: "Loads the version in quarantine; an answer from 500 on fails the test.",
  examples: [
    ["ignite draft test acme/hello", "only load it"],
    ["ignite draft test acme/hello --path / --path /todos", "and ask it"],
  ],
  async run(context, input) {
    const { TestDraftResponseSchema, IgniteApiError, appRef, plain } = await import("../../api.ts");
    const of = input.text("of");
    const paths = input.list("path");
    const answer = await (await context.compute()).testDraft({
      app: appRef(await context.app(input.arg("app"))),
      version: of === undefined ? 0 : input.version(of),
      tests: paths.map((path) => ({ request: { method: "GET", path } })),
    });
    context.io.result(plain(TestDraftResponseSchema, answer), () =>
      answer.results
        .map((result, at) => `GET ${paths[at]}: ${result.response?.status ?? "no answer"}`)
        .concat(answer.passed ? [`v${answer.version?.number} loads in ${answer.loadMs} ms`] : [])
        .join("\n"),
    );
    if (answer.passed) return;
    const failure = answer.failure ?? answer.results.find((one) => one.failure)?.failure;
    throw new IgniteApiError({
      code: "failed_precondition",
      reason: failure?.reason || "TEST_FAILED",
      message: failure?.message || "The version does not answer as it should.",
      stackOfApp: failure?.stack || undefined,
    });
  },
};
