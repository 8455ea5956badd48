/** The control plane stands still, or ends in the middle of a compile. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ignite } from "../../sdk/client.ts";
import { appRef } from "../../sdk/names.ts";
import { clientOf, deploySource, newOrganization } from "../harness/apps.ts";
import { startPlatform, type TestPlatform, until } from "../harness/platform.ts";
import { descendantsOf } from "../harness/processes.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";

const CONTROL = /workerd.*\/control\/workerd\.capnp/;
const STOPPED_MS = 5_000; // Longer than the edge waits for control anywhere

let registry: TestRegistry;
let platform: TestPlatform;
let local: Ignite;
let acme: Ignite;

beforeAll(async () => {
  registry = await startRegistry();
  platform = await startPlatform({ env: { NPM_CONFIG_REGISTRY: registry.url } });
  local = clientOf(platform);
  acme = await newOrganization(platform, "acme");
});

afterAll(async () => {
  await platform?.dispose();
  await registry?.close();
});

const saying = (word: string) => `export default { fetch: () => new Response("${word}") };\n`;

/** The status of a call and what it says. */
async function call(app: string): Promise<string> {
  const response = await fetch(`${platform.url}/@${app}/`);
  return `${response.status} ${await response.text()}`;
}

test("while control stands still no call fails, warm or cold; after it a publish works", async () => {
  const warm = ["local/warm", "acme/warm"];
  const cold = [1, 2, 3].flatMap((at) => [`local/cold${at}`, `acme/cold${at}`]);
  for (const app of [...warm, ...cold]) {
    await deploySource(app.startsWith("acme") ? acme : local, app, saying(app));
  }
  for (const app of warm) expect(await call(app)).toBe(`200 ${app}`);
  const stopped = await descendantsOf(platform.pid, CONTROL);
  expect(stopped.length).toBeGreaterThan(0);
  for (const pid of stopped) process.kill(pid, "SIGSTOP");
  try {
    const untilMs = Date.now() + STOPPED_MS;
    const left = [...cold];
    while (left.length > 0 || Date.now() < untilMs) {
      const app = left.shift();
      for (const one of [...warm, ...(app === undefined ? [] : [app])]) {
        expect(await call(one)).toBe(`200 ${one}`);
      }
    }
  } finally {
    for (const pid of stopped) process.kill(pid, "SIGCONT");
  }
  await deploySource(acme, "acme/warm", saying("again"));
  expect(await call("acme/warm")).toBe("200 again");
  expect(await descendantsOf(platform.pid, CONTROL)).toEqual(stopped);
});

const GREETER = `import { greet } from "npm:greeter@1.0.0";
export default { fetch: () => new Response(greet) };
`;

/** Deploys what cannot be compiled to its end, and kills control once the compile is underway. */
async function killWhile<Result>(deploying: () => Promise<Result>): Promise<Result> {
  const asked = registry.hold();
  const result = deploying();
  result.catch(() => {}); // Looked at when control is gone
  await asked;
  for (const pid of await descendantsOf(platform.pid, CONTROL)) process.kill(pid, "SIGKILL");
  return result;
}

/** Only what was there before gets traffic, and a new deploy takes over. */
async function expectWhole(client: Ignite, app: string) {
  const isReady = () =>
    fetch(`${platform.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until("control is back", isReady);
  const before = await client.compute.getApp({ app: appRef(app) });
  expect(before.app?.traffic.map(({ version }) => version)).toEqual([1]);
  expect(await call(app)).toBe("200 before");
  registry.release();
  const version = await deploySource(client, app, saying("after"));
  expect(version).toBeGreaterThan(1);
  expect(await call(app)).toBe("200 after");
}

test("ignite deploy says that control went away while it compiled; the next deploy works", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ignite-cut-"));
  await writeFile(join(folder, "ignite.toml"), 'app = "cut"\nmain = "main.ts"\n');
  await writeFile(join(folder, "main.ts"), GREETER);
  await deploySource(local, "local/cut", saying("before"));
  const deploying = () => platform.ignite(["deploy", "--json"], { cwd: folder });
  const { code, stdout } = await killWhile(deploying);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      code: "unavailable",
      reason: "CONTROL_UNAVAILABLE",
      message: expect.stringContaining("before the compile did"),
      hint: expect.stringContaining("Deploy again"),
    },
  });
  await expectWhole(local, "local/cut");
  await rm(folder, { recursive: true });
});

test("the SDK's deploy fails with CONTROL_UNAVAILABLE likewise", async () => {
  await deploySource(acme, "acme/cut", saying("before"));
  const deploying = killWhile(() => deploySource(acme, "acme/cut", GREETER));
  await expect(deploying).rejects.toMatchObject({ reason: "CONTROL_UNAVAILABLE" });
  await expectWhole(acme, "acme/cut");
});
