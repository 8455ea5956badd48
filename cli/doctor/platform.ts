/** Whether the platform of the current context answers, and knows the caller. */
import type { CommandContext } from "../context.ts";
import { bad, type Finding, good, off } from "./check.ts";

/** A part of the platform, as `/readyz` tells of it. */
interface Component {
  name: string;
  isHealthy: boolean;
  message: string;
}

const ANSWER_TIMEOUT_MS = 3_000;
const READY_TIMEOUT_MS = 5_000; // It asks its parts first, for 2 s at most
const STDERR = "See what `ignite up` says on stderr.";
const MEANS: Readonly<Record<string, string>> = {
  store: "Nothing can be changed; apps go on.",
  edge: "No app answers.",
  region: "Nothing compiles.",
  compiler: "Nothing compiles.",
};

/** Whether something answers `/healthz` like Ignite at that address. */
export async function isIgnite(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetch(`${url}/healthz`, { signal }).catch(() => undefined);
  return response?.ok === true;
}

/** Findings about the platform: that it answers, which part is off, that the key is known. */
export async function platformFindings(context: CommandContext): Promise<Finding[]> {
  const { api, key } = await context.target();
  if (!(await isIgnite(api))) {
    const means = "Commands that need a platform fail.";
    return [off("platform", `nothing answers at ${api}`, means, "Start one with `ignite up`.")];
  }
  const [parts, known] = await Promise.all([ready(api), caller(context, key)]);
  return [...parts, known];
}

async function ready(api: string): Promise<Finding[]> {
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
  const response = await fetch(`${api}/readyz`, { signal }).catch(() => undefined);
  const body: unknown = await response?.json().catch(() => undefined);
  const { components = [] } = (body ?? {}) as { components?: readonly Component[] };
  const weak = components.filter(({ isHealthy, message }) => !isHealthy || message !== "");
  const platform = response?.ok
    ? good("platform", `${api} is ready`)
    : bad("platform", `${api} is not ready`, "Its API does not work.", STDERR);
  return [platform, ...weak.map(findingOf)];
}

function findingOf({ name, isHealthy, message }: Component): Finding {
  if (!isHealthy) return bad(name, message, MEANS[name] ?? "Some of it does not work.", STDERR);
  const means = message.startsWith("unsandboxed") ? "What it runs has fewer walls." : "";
  return off(name, message, means, "See what is off on its machine.");
}

async function caller(context: CommandContext, key: string | undefined): Promise<Finding> {
  const fix = "Give one with --key, IGNITE_KEY or `ignite context add`.";
  if (key === undefined) return off("key", "none", "Only public apps can be called.", fix);
  try {
    const { organization, key: found } = await (await context.keys()).whoAmI({});
    return good("key", `${found?.id} of ${organization?.name || found?.organization}`);
  } catch (error) {
    return bad("key", (error as Error).message, "Every call is refused.", fix);
  }
}
