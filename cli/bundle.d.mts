/** See bundle.mjs. */
export function bundledMain(root: string): Promise<string | undefined>;
