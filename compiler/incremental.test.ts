import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createIncrementalCompiler } from "./incremental.ts";
import { testToolchainFolder } from "./temporary-compile.ts";

test("createIncrementalCompiler() sees what changed, and errors in it", async () => {
  const dir = await mkdtemp(join(tmpdir(), "ignite-dev-app-"));
  const write = (text: string) => writeFile(join(dir, "main.ts"), text);
  const compiler = await createIncrementalCompiler({ dir, cacheDir: testToolchainFolder });
  try {
    await write('export default { fetch: () => new Response("one") };');
    const first = await compiler.rebuild();
    await write('export default { fetch: () => new Response("two") };');
    const second = await compiler.rebuild();
    await write("export default {");
    const third = await compiler.rebuild();
    expect(first.ok && second.ok && first.digest !== second.digest).toBe(true);
    expect(third.diagnostics[0]).toMatchObject({ id: "SYNTAX", file: "main.ts" });
  } finally {
    await compiler.dispose();
    await rm(dir, { recursive: true, force: true });
  }
});

test("createIncrementalCompiler() drops a rebuild that the next one overtakes", async () => {
  const dir = await mkdtemp(join(tmpdir(), "ignite-dev-app-"));
  await writeFile(join(dir, "main.ts"), "export default { fetch: () => new Response() };");
  const compiler = await createIncrementalCompiler({ dir, cacheDir: testToolchainFolder });
  try {
    const overtaken = expect(compiler.rebuild()).rejects.toMatchObject({ name: "AbortError" });
    const newest = await compiler.rebuild();
    await overtaken;
    expect(newest.ok).toBe(true);
  } finally {
    await compiler.dispose();
    await rm(dir, { recursive: true, force: true });
  }
});
