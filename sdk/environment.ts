/** Variables of the process, where there are any: Node, Deno and Bun have `process.env`. */
interface WithProcess {
  process?: { env?: Readonly<Record<string, string | undefined>> };
}

/** Where the platform is and who calls, as the command line is told it. */
export interface EnvironmentOptions {
  url: string;
  key: string | undefined;
  org: string | undefined;
}

/**
 * Reads IGNITE_API, IGNITE_KEY and IGNITE_ORG. Throws a TypeError that says what to do when there
 * is no IGNITE_API, or when it may not be read.
 */
export function fromEnvironment(): EnvironmentOptions {
  try {
    const variables = (globalThis as WithProcess).process?.env ?? {};
    const { IGNITE_API: url, IGNITE_KEY, IGNITE_ORG } = variables;
    if (url) return { url, key: IGNITE_KEY || undefined, org: IGNITE_ORG || undefined };
  } catch (cause) {
    throw new TypeError(`${MISSING} Deno lets it be read with --allow-env.`, { cause });
  }
  throw new TypeError(MISSING);
}

const MISSING =
  'No address of Ignite: write new Ignite({ url: "http://localhost:8787", key }), ' +
  "or set IGNITE_API and IGNITE_KEY.";
