/** Whether the platform of the current context answers, and knows the caller. */
import type { CommandContext } from "../context.ts";
import { bad, type Finding, good, off } from "./check.ts";

const ANSWER_TIMEOUT_MS = 3_000;

/** Whether something answers `/healthz` like Ignite at that address. */
export async function isIgnite(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetch(`${url}/healthz`, { signal }).catch(() => undefined);
  return response?.ok === true;
}

/** Findings about the platform: that it answers, that it is ready, that the key is known. */
export async function platformFindings(context: CommandContext): Promise<Finding[]> {
  const { api, key } = await context.target();
  if (!(await isIgnite(api))) {
    const means = "Commands that need a platform fail.";
    return [off("platform", `nothing answers at ${api}`, means, "Start one with `ignite up`.")];
  }
  return Promise.all([ready(api), caller(context, key)]);
}

async function ready(api: string): Promise<Finding> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetch(`${api}/readyz`, { signal }).catch(() => undefined);
  const text = (await response?.text().catch(() => "")) ?? "";
  if (response?.ok && !text.includes("unsandboxed")) return good("platform", `${api} is ready`);
  const found = text.trim().slice(0, 200) || `${api} is not ready`;
  return off(
    "platform",
    found,
    "Some of it does not work.",
    "See what `ignite up` says on stderr.",
  );
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
