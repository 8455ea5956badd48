import type { Command } from "../../command.ts";
import { table } from "../../io.ts";
import { collect, limitOption } from "../../pages.ts";
import { adminClientOf } from "./client.ts";

/** `ignite orgs list` */
export const command: Command = {
  options: [limitOption],
  details: "Operators see all of them, others their own.",
  examples: [["ignite orgs list", "by name"]],
  async run(context, input) {
    const [{ Isolation, OrganizationSchema }, { IgniteApiError, plain, views }, client] =
      await Promise.all([
        import("../../../proto/gen/ignite/v1/organization_pb.ts"),
        import("../../api.ts"),
        adminClientOf(context),
      ]);
    const all = await collect(input, async (page) => {
      const answer = await client.listOrganizations(page);
      return { items: answer.organizations, nextPageToken: answer.nextPageToken };
    }).catch(async (error: unknown) => {
      if (IgniteApiError.from(error).code !== "permission_denied") throw error;
      const { organization } = await (await context.keys()).whoAmI({});
      return organization === undefined ? [] : [organization];
    });
    const rows = () =>
      all.map((one) => [
        one.name,
        one.displayName,
        views.enumName(Isolation, one.isolation),
        views.time(one.createTime),
      ]);
    context.io.result(
      all.map((one) => plain(OrganizationSchema, one)),
      () => table(["ORGANIZATION", "FOR PEOPLE", "ISOLATION", "MADE"], rows()),
    );
  },
};
