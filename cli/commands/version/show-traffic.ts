import type { App } from "../../../proto/gen/ignite/v1/app_pb.ts";
import type { Version } from "../../../proto/gen/ignite/v1/version_pb.ts";
import type { CommandContext } from "../../context.ts";

/** Prints which version has the traffic now, and where it answers. */
export async function showTraffic(
  { io }: CommandContext,
  { app, version }: { app?: App | undefined; version?: Version | undefined },
  verb: string,
): Promise<void> {
  const { AppSchema, VersionSchema, plain } = await import("../../api.ts");
  const document = {
    app: app?.fullName,
    version: version?.number,
    url: app?.urls[0],
    urls: app?.urls,
    details: {
      app: app && plain(AppSchema, app),
      version: version && plain(VersionSchema, version),
    },
  };
  io.result(document, () => {
    const head = io.colors.green(`${verb} ${app?.fullName} v${version?.number}`);
    return [head, ...(app?.urls ?? []).map((url) => `  ${io.colors.cyan(url)}`)].join("\n");
  });
}
