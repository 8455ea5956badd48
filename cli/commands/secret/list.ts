import type { Command } from "../../command.ts";
import { table } from "../../io.ts";
import { collect, limitOption } from "../../pages.ts";
import { secretClientOf } from "./client.ts";

/** `ignite secrets list` */
export const command: Command = {
  options: [limitOption, { flags: "--prefix <text>", summary: "only names that start so" }],
  details: "Values are never listed.",
  examples: [
    ["ignite secrets list", "names and versions"],
    ["ignite secrets list --prefix prod/", "those of a folder"],
  ],
  async run(context, input) {
    const [{ SecretSchema }, { plain, views }, { client, organization }] = await Promise.all([
      import("../../../proto/gen/ignite/v1/secret_pb.ts"),
      import("../../api.ts"),
      secretClientOf(context),
    ]);
    const prefix = input.text("prefix") ?? "";
    const secrets = await collect(input, async (page) => {
      const answer = await client.listSecrets({ organization, prefix, ...page });
      return { items: answer.secrets, nextPageToken: answer.nextPageToken };
    });
    context.io.result(
      secrets.map((secret) => plain(SecretSchema, secret)),
      () =>
        table(
          ["SECRET", "VERSION", "CHANGED"],
          secrets.map((one) => [one.name, `v${one.currentVersion}`, views.time(one.updateTime)]),
        ),
    );
  },
};
