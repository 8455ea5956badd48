/** Deploys the examples to a platform that has just started, for `npm start`. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandContext } from "../context.ts";
import { readContexts } from "../contexts.ts";
import { packageRoot } from "../root.ts";
import type { Platform } from "./platform.ts";

/** Deploys each example that is not there unchanged, and prints how to call them. */
export async function deployExamples(context: CommandContext, platform: Platform): Promise<void> {
  const { io } = context;
  const { key } = (await readContexts(context.env)).contexts["local"] ?? {};
  if (key === undefined) return io.progress("no key at hand: the examples are not deployed");
  const [{ pushFolder }, { finishDeploy }] = await Promise.all([
    import("../app/push.ts"),
    import("../../sdk/deploy.ts"),
  ]);
  const root = join(packageRoot(), "examples");
  const entries = await readdir(root, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const quiet = Object.assign(Object.create(io) as typeof io, { progress() {} });
  for (const name of names.toSorted()) {
    const { env, cwd, sources } = context;
    const deploying = new CommandContext(
      { io: quiet, env, cwd, sources: { ...sources } },
      { api: platform.url, key, org: platform.org },
    );
    try {
      const { app, ports } = await pushFolder(deploying, join(root, name));
      const { urls } = await finishDeploy(ports, app, {});
      io.item({ deployed: app, urls }, () => `  ${name.padEnd(14)} ${urls[0]}`);
    } catch (error) {
      io.progress(`  ${name.padEnd(14)} was not deployed: ${(error as Error).message}`);
    }
  }
  const hello = `${platform.url}/@${platform.org}/hello/`;
  io.item({ call: hello }, () => `\nTry  curl "${hello}?name=you"   ·   Ctrl-C stops Ignite.`);
}
