import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { afterEach, expect, test } from "vitest";
import type { WorkerdConfig } from "./workerd-config.ts";
import { startWorkerd, type WorkerdProcess } from "./workerd-process.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const SOURCE = `
import { WorkerEntrypoint } from "cloudflare:workers";
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/out/")) {
      const url = "http://127.0.0.1:" + pathname.slice(5);
      return fetch(url).then(() => new Response("out"), () => new Response("shut"));
    }
    return Response.json({ text: env.TEXT, json: env.JSON, loader: typeof env.LOADER.get });
  },
};
export class Internal extends WorkerEntrypoint {
  fetch() { console.log("internal line"); return new Response("internal"); }
}`;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ignite-workerd-"));
  cleanups.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

function configIn(path: string): WorkerdConfig {
  const worker = {
    modules: [{ name: "main.js", type: "js" as const, text: SOURCE }],
    compatibilityDate: "2026-08-01",
    bindings: [
      { name: "TEXT", text: 'é"\\\n\t\u0000x' },
      { name: "JSON", json: { ü: [1, "\u2028"] } },
      { name: "LOADER", workerLoader: true as const },
    ],
  };
  return {
    services: [{ name: "main", worker }],
    sockets: [
      { name: "public", unixSocket: join(path, "a.sock"), service: { name: "main" } },
      {
        name: "internal",
        unixSocket: join(path, "b.sock"),
        service: { name: "main", entrypoint: "Internal" },
      },
    ],
  };
}

async function start(path: string, lines: string[] = []): Promise<WorkerdProcess> {
  const workerd = await startWorkerd({
    name: "test",
    folder: join(path, "config"),
    config: configIn(path),
    onLine: (line) => lines.push(line),
  });
  cleanups.push(() => workerd.stop(0));
  return workerd;
}

async function get(socketPath: string, path: string): Promise<string> {
  const dispatcher = new Agent({ connect: { socketPath } });
  cleanups.push(() => dispatcher.destroy());
  return (await request(`http://test.localhost${path}`, { dispatcher })).body.text();
}

test("startWorkerd() is ready when it returns, with bindings and entrypoints", async () => {
  const path = await folder();
  const lines: string[] = [];
  await start(path, lines);
  expect(JSON.parse(await get(join(path, "a.sock"), "/"))).toEqual({
    text: 'é"\\\n\t\u0000x',
    json: { ü: [1, "\u2028"] },
    loader: "function",
  });
  expect(await get(join(path, "b.sock"), "/")).toBe("internal");
  const server = createServer((_, response) => response.end("reached")).listen(0, "127.0.0.1");
  cleanups.push(async () => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await get(join(path, "a.sock"), `/out/${port}`)).toBe("shut");
  await expect.poll(() => lines).toContain("internal line");
});

test("startWorkerd() starts over the sockets that a killed process left behind", async () => {
  const path = await folder();
  const first = await start(path);
  first.kill("SIGKILL");
  expect((await first.exited).signal).toBe("SIGKILL");
  await start(path);
  expect(await get(join(path, "b.sock"), "/")).toBe("internal");
});

test("startWorkerd() fails with what workerd wrote, and keeps its configuration private", async () => {
  const path = await folder();
  const config = configIn(path);
  const broken = { ...config, v8Flags: ["--no-such-flag"] };
  const starting = startWorkerd({ name: "test", folder: path, config: broken, onLine: () => {} });
  await expect(starting).rejects.toThrow(/test ended with .* while it started/);
  expect(await readFile(join(path, "workerd.capnp"), "utf8")).toContain("no-such-flag");
});
