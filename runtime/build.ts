/** Bundles our Workers with esbuild, for the host, for control and for local development. */
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

const RUNTIME_FOLDER = fileURLToPath(new URL(".", import.meta.url));

/** Specifiers under which a Worker imports the guest's code as text, and where each begins. */
const GUEST_ENTRIES = {
  "ignite-guest": "guest/main.ts",
  "ignite-guest-deno": "guest/deno/namespace.ts",
} as const;

/** One of the guest's modules. */
export type GuestModule = keyof typeof GUEST_ENTRIES;

/** All of them. */
export const guestModules = Object.keys(GUEST_ENTRIES) as GuestModule[];

/** The cell's Worker as one ES module. */
export function bundleCellWorker(): Promise<string> {
  return bundleWorker(`${RUNTIME_FOLDER}dispatch/cell.worker.ts`);
}

/**
 * One of the guest's modules, for bundlers that cannot run the plugin below. Minified, since each
 * isolate parses it.
 */
export function bundleGuest(module: GuestModule): Promise<string> {
  return bundle(RUNTIME_FOLDER + GUEST_ENTRIES[module], { minify: true });
}

/** Bundles a Worker's entry file to one ES module. Rejects with esbuild's own report. */
export async function bundleWorker(entry: string): Promise<string> {
  return bundle(entry, { plugins: [guestAsText], minifyWhitespace: true });
}

/** Gives `import guest from "ignite-guest"` the guest's own code as one module in a string. */
export const guestAsText: Plugin = {
  name: "ignite-guest",
  setup(setup) {
    const filter = new RegExp(`^(?:${guestModules.join("|")})$`);
    setup.onResolve({ filter }, ({ path }) => ({ path, namespace: "ignite-guest" }));
    setup.onLoad({ filter, namespace: "ignite-guest" }, async ({ path }) => ({
      contents: await bundleGuest(path as GuestModule),
      loader: "text",
    }));
  },
};

async function bundle(entry: string, more: BuildOptions): Promise<string> {
  const { outputFiles = [] } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:async_hooks"],
    legalComments: "none",
    logLevel: "silent",
    ...more,
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild wrote nothing for ${entry}`);
  return output.text;
}
