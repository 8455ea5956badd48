/** Apps of a test platform, deployed over the SDK. */
import { Ignite } from "../../sdk/client.ts";
import type { ConfigInit } from "../../sdk/deploy.ts";
import type { TestPlatform } from "./platform.ts";

/** A caller of a platform with an organization's key; the first owner's unless another is given. */
export function clientOf(platform: TestPlatform, key = platform.key): Ignite {
  return new Ignite({ url: platform.url, key });
}

/** Deploys one module as `org/app` and answers the version's number. */
export async function deploySource(
  client: Ignite,
  app: string,
  source: string,
  config: ConfigInit = {},
): Promise<number> {
  const files = { "main.ts": source };
  const { version } = await client.deploy(app, { runtime: "deno", main: "main.ts", files, config });
  return version;
}

/** Makes an organization with the operator's key and answers a client with its owner's key. */
export async function newOrganization(platform: TestPlatform, name: string): Promise<Ignite> {
  const { secret } = await clientOf(platform).admin.createOrganization({ name, isolation: 1 });
  return clientOf(platform, secret);
}
