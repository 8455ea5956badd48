/** Writes the guest's own code to dist/, where wrangler.toml has Workers find it as text. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleGuest, guestModules } from "../../runtime/build.ts";
import { packageRoot } from "../root.ts";

const folder = join(packageRoot(), "dist");
await mkdir(folder, { recursive: true });
for (const module of guestModules) {
  await writeFile(join(folder, `${module}.txt`), await bundleGuest(module));
}
