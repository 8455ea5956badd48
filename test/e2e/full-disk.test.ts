/** The disk fills up while the platform runs: what is published goes on, deploys say why not. */
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ignite } from "../../sdk/client.ts";
import { clientOf, deploySource } from "../harness/apps.ts";
import { startPlatform, type TestPlatform, until } from "../harness/platform.ts";

const isRoot = process.getuid?.() === 0; // Who else may mount a small disk?
const DISK_MB = 128; // The toolchain takes 20

let platform: TestPlatform | undefined;
let local: Ignite;

beforeAll(async () => {
  if (!isRoot) return;
  const dataDir = await mkdtemp(join(tmpdir(), "ignite-small-"));
  const disk = join(dataDir, "data");
  await mkdir(disk);
  const script = `mount -t tmpfs -o size=${DISK_MB}m tmpfs ${disk} && exec "$@"`;
  platform = await startPlatform({
    dataDir,
    before: ["unshare", "--mount", "sh", "-c", script, "sh"],
  });
  local = clientOf(platform);
});

afterAll(() => platform?.dispose());

const saying = (word: string) => `export default { fetch: () => new Response("${word}") };\n`;

async function call({ url }: TestPlatform, app: string): Promise<string> {
  const response = await fetch(`${url}/@${app}/`);
  return `${response.status} ${await response.text()}`;
}

/** Fills the platform's disk to the last byte; answers the file that did. */
async function fill({ pid, dataDir }: TestPlatform): Promise<string> {
  const path = join(`/proc/${pid}/root`, dataDir, "data", "filler");
  const file = await open(path, "w");
  const piece = Buffer.alloc(64 * 1024);
  try {
    for (;;) await file.write(piece);
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  } finally {
    await file.close();
  }
  return path;
}

test.skipIf(!isRoot)("a disk that fills up while the platform runs", async () => {
  if (platform === undefined) throw new Error("no platform");
  await deploySource(local, "local/warm", saying("warm"));
  await deploySource(local, "local/cold", saying("cold"));
  expect(await call(platform, "local/warm")).toBe("200 warm");
  const filler = await fill(platform);

  const folder = await mkdtemp(join(tmpdir(), "ignite-app-"));
  await writeFile(join(folder, "ignite.toml"), 'app = "warm"\nmain = "main.ts"\n');
  await writeFile(join(folder, "main.ts"), saying("newer"));
  const refused = await platform.ignite(["deploy", "--json"], { cwd: folder });
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: { reason: "STORE_FULL", message: expect.any(String) },
  });
  const deploying = deploySource(local, "local/fresh", saying("fresh"));
  await expect(deploying).rejects.toMatchObject({ reason: "STORE_FULL" });
  for (let round = 0; round < 20; round += 1) {
    expect(await call(platform, "local/warm")).toBe("200 warm");
    expect(await call(platform, "local/cold")).toBe("200 cold");
  }
  expect((await fetch(`${platform.url}/healthz`)).status).toBe(200);

  await rm(filler);
  const deployed = await platform.ignite(["deploy", "--json"], { cwd: folder });
  expect(deployed.code, deployed.stderr).toBe(0);
  expect(await call(platform, "local/warm")).toBe("200 newer");
  await deploySource(local, "local/fresh", saying("fresh"));
  expect(await call(platform, "local/fresh")).toBe("200 fresh");
  await until("calls are noted again", async () => {
    const { stdout } = (await platform?.ignite(["executions", "local/fresh"])) ?? { stdout: "" };
    return stdout.includes("200");
  });
  await rm(folder, { recursive: true });
});
