import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Finding } from "./doctor/check.ts";
import { type MemoryServer, startMemoryServer } from "./testing/memory-server.ts";
import { runCli, temporaryFolder } from "./testing/run-cli.ts";

let platform: MemoryServer;
let home: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  platform = await startMemoryServer();
  home = await temporaryFolder();
});

afterAll(async () => {
  await platform.close();
  await home.remove();
});

async function doctor(port: number, env: Record<string, string>) {
  const words = ["doctor", "--json", "--port", String(port)];
  const { stdout, exitCode } = await runCli(words, { cwd: home.path, env });
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
  const byName = Object.fromEntries(checks.map((check) => [check.name, check]));
  return { exitCode, ok, byName };
}

test("ignite doctor finds the tools, the platform and the key's owner", async () => {
  const port = Number(new URL(platform.url).port);
  const { byName } = await doctor(port, { IGNITE_API: platform.url, IGNITE_KEY: platform.key });
  for (const name of ["node", "workerd", "deno", "platform", "key", `port ${port}`]) {
    expect(byName[name], name).toMatchObject({ verdict: "good" });
  }
  expect(byName["key"]?.found).toBe("key_1 of acme");
});

test("ignite doctor says what is off, what that costs and how to mend it", async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
  const { port } = other.address() as AddressInfo;
  const { exitCode, ok, byName } = await doctor(port, { IGNITE_API: "http://127.0.0.1:1" });
  other.close();
  expect({ exitCode, ok }).toEqual({ exitCode: 1, ok: false });
  expect(byName[`port ${port}`]).toMatchObject({
    verdict: "bad",
    found: "another program listens there",
    fix: expect.stringContaining("--port 0"),
  });
  expect(byName["platform"]).toMatchObject({ verdict: "off" });
});

test("ignite doctor tells which parts of the platform are off", async () => {
  const components = [
    { name: "store", isHealthy: true, message: "" },
    { name: "edge", isHealthy: true, message: "unsandboxed; missing: seccomp" },
    { name: "compiler", isHealthy: false, message: "no deno" },
  ];
  const server = createHttpServer((_, response) => response.end(JSON.stringify({ components })));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const { exitCode, byName } = await doctor(port, { IGNITE_API: `http://127.0.0.1:${port}` });
  server.close();
  expect(exitCode).toBe(1);
  expect(byName["platform"]).toMatchObject({ verdict: "good" });
  expect(byName).not.toHaveProperty("store");
  expect(byName["edge"]).toMatchObject({ verdict: "off", found: components[1]?.message });
  expect(byName["compiler"]).toMatchObject({ verdict: "bad", means: "Nothing compiles." });
});
