import { mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ignore from "ignore";
import { expect, test } from "vitest";
import { stampOf } from "./tree-stamp.ts";

test("stampOf() differs when a source does, and for nothing else", async () => {
  const dir = await mkdtemp(join(tmpdir(), "ignite-stamp-"));
  const path = join(dir, "main.ts");
  const stamp = () => stampOf(dir, ignore().add("*.log"));
  try {
    await writeFile(path, "one");
    const first = await stamp();
    await writeFile(join(dir, "x.log"), "ignored");
    expect(await stamp()).toBe(first);
    await writeFile(path, "three");
    const written = await stamp();
    expect(written).not.toBe(first);
    await utimes(path, 1, 1);
    const touched = await stamp();
    expect(touched).not.toBe(written);
    await rename(path, join(dir, "other.ts"));
    const renamed = await stamp();
    expect(renamed).not.toBe(touched);
    await rm(join(dir, "other.ts"));
    expect(await stamp()).toBe("");
  } finally {
    await rm(dir, { recursive: true });
  }
});
