/** Where packages may come from: the installation's npm registry, and what deno itself trusts. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { IgniteError } from "../../core/errors.ts";

const run = promisify(execFile);
const JSR_HOSTS = ["jsr.io", "npm.jsr.io"];

/**
 * The npm registry that this machine is set up for: environment, `.npmrc`, or what npm itself goes
 * to, which takes a third of a second to ask. Fails with TOOL_MISSING when nothing says.
 */
export async function configuredRegistry(): Promise<string> {
  const { env } = process;
  const files = [env["NPM_CONFIG_USERCONFIG"] ?? join(homedir(), ".npmrc"), "/etc/npmrc"];
  const texts = await Promise.all(files.map((path) => readFile(path, "utf8").catch(() => "")));
  const written = texts.map((text) => /^\s*registry\s*=\s*(\S+)\s*$/m.exec(text)?.[1]);
  const named = [env["NPM_CONFIG_REGISTRY"], env["npm_config_registry"], ...written];
  return named.find((each) => each !== undefined && URL.canParse(each)) ?? npmDefault();
}

async function npmDefault(): Promise<string> {
  const { stdout } = await run("npm", ["config", "get", "registry"]).catch(() => ({ stdout: "" }));
  if (URL.canParse(stdout.trim())) return stdout.trim();
  throw new IgniteError({
    code: "failed_precondition",
    reason: "TOOL_MISSING",
    message: "No npm registry is configured on this machine.",
    hint: "Install npm, or name one in NPM_CONFIG_REGISTRY.",
  });
}

/** `host:port` of every place that packages may come from. */
export function packageHostsOf(npmRegistry: string, more: readonly string[] = []): string[] {
  const own = hostOf(new URL(npmRegistry));
  return [...new Set([own, ...[...JSR_HOSTS, ...more].map(withPort)])];
}

/**
 * Those of them that modules may be imported from by address. The npm registry is not among them:
 * nothing but packages is its to give, and it may be a company's server that shows more.
 */
export function importHostsOf(
  packageHosts: readonly string[],
  npmRegistry: string | undefined,
  jsrRegistry: string | undefined,
): string[] {
  const [npm, jsr] = [npmRegistry, jsrRegistry].map((url) => url && hostOf(new URL(url)));
  return packageHosts.filter((host) => host !== npm || host === jsr);
}

/** `host:port` of an address. */
export function hostOf({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port || (protocol === "http:" ? "80" : "443")}`;
}

function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:443`;
}
