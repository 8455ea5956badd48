import { createConnection } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { VersionDocument } from "../../core/deployment.ts";
import type { Digest } from "../../core/ids.ts";
import { appDocument, artifactOf, signedApp } from "../../test/harness/documents.ts";
import { jsonOf, startTestCell, type TestCell, textOf } from "../../test/harness/workerd.ts";

const SAYS = (what: string) =>
  `export default { fetch: (r) => new Response(${JSON.stringify(what)} + " " + r.url + " " + (r.headers.get("x-forwarded-prefix") ?? "-")) }`;

let cell: TestCell;
const versions: Record<string, VersionDocument> = {};

beforeAll(async () => {
  cell = await startTestCell();
  for (const number of [1, 2, 3]) {
    const { blob, digest } = artifactOf(SAYS(`v${number}`));
    cell.artifacts.set(digest, [blob]);
    versions[number] = {
      versionId: `ver_${number}`,
      number,
      artifact: digest,
      vars: {},
    };
  }
});
afterAll(() => cell.stop());

/** Digest of version 1. */
const artifactOfFirst = () => versions[1]?.artifact as Digest;

async function say(host: string, path = "/", headers: Record<string, string> = {}) {
  const response = await cell.call(host, path, { headers });
  return { response, text: await textOf(response) };
}

async function publish(name: string, more: Parameters<typeof appDocument>[2]) {
  const artifact = artifactOfFirst();
  await cell.push(await signedApp(appDocument(name, artifact, { versions, ...more })));
}

test("the gateway answers by host, preview host, path and custom domain", async () => {
  await publish("acme/site", {
    domains: ["www.example.org"],
    traffic: [{ version: 2, weight: 100 }],
  });
  expect((await say("site--acme.localhost", "/p?q=1")).text).toBe(
    "v2 http://site--acme.localhost/p?q=1 -",
  );
  expect((await say("SITE--acme.LOCALHOST:8787")).text).toMatch(/^v2 /);
  expect((await say("v1--site--acme.localhost")).text).toMatch(/^v1 /);
  expect((await say("localhost:8787", "/@acme/site/p?q=1")).text).toBe(
    "v2 http://localhost:8787/p?q=1 /@acme/site",
  );
  expect((await say("www.example.org")).text).toMatch(/^v2 /);
  expect((await say("v9--site--acme.localhost")).response.statusCode).toBe(404);
});

test("the path form without a slash behind the app leads browsers to the one with it", async () => {
  await publish("acme/links", {});
  const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const response = await cell.call("localhost:8787", path, { method, headers });
    await textOf(response);
    return [response.statusCode, response.headers["location"]];
  };
  const page = { accept: "text/html,*/*;q=0.8" };
  expect(await ask("GET", "/@acme/links", page)).toEqual([308, "/@acme/links/"]);
  const query = "?a=/&b=%2F";
  expect(await ask("HEAD", `/@acme/links${query}`, page)).toEqual([308, `/@acme/links/${query}`]);
  expect(await ask("GET", "/@acme/links/", page)).toEqual([200, undefined]);
  expect(await ask("POST", "/@acme/links?q=1", page)).toEqual([200, undefined]);
  expect(await ask("GET", "/@acme/links", { accept: "*/*" })).toEqual([200, undefined]);
  expect((await ask("GET", "/@acme/none"))[0]).toBe(404);
});

test("the gateway takes no app's custom domain for a host of the platform", async () => {
  await publish("acme/thief", { domains: ["127.0.0.1", "localhost", "x.localhost"] });
  expect((await say("127.0.0.1:8787", "/@acme/site/p")).text).toMatch(/^v2 /);
  expect((await say("localhost:8787", "/@acme/site/p")).text).toMatch(/^v2 /);
  expect((await say("x.localhost")).response.statusCode).toBe(404);
});

test("the gateway follows a newer document at once and ignores an older one", async () => {
  const older = await signedApp(appDocument("acme/moved", artifactOfFirst(), { versions }));
  await publish("acme/moved", { traffic: [{ version: 3, weight: 100 }] });
  expect((await say("moved--acme.localhost")).text).toMatch(/^v3 /);
  expect(await cell.admin("/documents", { documents: [older] })).toEqual({
    applied: 0,
    ignored: 1,
  });
  expect((await say("moved--acme.localhost")).text).toMatch(/^v3 /);
  await publish("acme/moved", { deleted: true });
  const { response, text } = await say("moved--acme.localhost");
  expect([response.statusCode, JSON.parse(text).reason]).toEqual([404, "APP_NOT_FOUND"]);
});

test("the gateway takes no document that is not signed by its installation", async () => {
  const signed = await signedApp(appDocument("acme/forged", artifactOfFirst(), { versions }));
  const forged = { ...signed, body: signed.body.replace("acme", "evil") };
  await expect(cell.admin("/documents", { documents: [forged] })).rejects.toThrow(/403/);
  expect((await say("forged--acme.localhost")).response.statusCode).toBe(404);
});

test("the gateway splits traffic by weight", async () => {
  await publish("acme/split", {
    traffic: [
      { version: 1, weight: 50 },
      { version: 2, weight: 50 },
    ],
  });
  const seen = new Set<string>();
  for (let at = 0; at < 60; at++) seen.add((await say("split--acme.localhost")).text.slice(0, 2));
  expect([...seen].sort()).toEqual(["v1", "v2"]);
  await publish("acme/split", {
    traffic: [
      { version: 1, weight: 0 },
      { version: 2, weight: 100 },
    ],
  });
  for (let at = 0; at < 20; at++) expect((await say("split--acme.localhost")).text).toMatch(/^v2/);
});

test("a sticky cookie keeps a caller on its version", async () => {
  await publish("acme/cookie", {
    sticky: "cookie",
    traffic: [
      { version: 1, weight: 50 },
      { version: 2, weight: 50 },
    ],
  });
  for (let at = 0; at < 5; at++) {
    const first = await say("cookie--acme.localhost");
    const [cookie = ""] = first.response.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^ignite-sticky=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
    const headers = { cookie: `a=b; ${cookie.split(";")[0]}` };
    for (let again = 0; again < 8; again++) {
      const next = await say("cookie--acme.localhost", "/", headers);
      expect(next.text).toBe(first.text);
      expect(next.response.headers["set-cookie"]).toBeUndefined();
    }
  }
});

test("a sticky header keeps a caller on its version", async () => {
  await publish("acme/header", {
    sticky: "header",
    traffic: [
      { version: 1, weight: 50 },
      { version: 2, weight: 50 },
    ],
  });
  const seen = new Set<string>();
  for (let user = 0; user < 30; user++) {
    const headers = { "ignite-sticky": `user-${user}` };
    const first = (await say("header--acme.localhost", "/", headers)).text;
    expect((await say("header--acme.localhost", "/", headers)).text).toBe(first);
    seen.add(first);
  }
  expect(seen.size).toBe(2);
});

test("an app that was not pushed is asked for once, by name or by domain", async () => {
  const document = appDocument("acme/lazy", artifactOfFirst(), {
    versions,
    domains: ["lazy.example.org"],
  });
  cell.findable.set("name=acme/lazy", [await signedApp(document)]);
  expect((await say("lazy--acme.localhost")).text).toMatch(/^v1 /);
  expect((await say("lazy.example.org")).text).toMatch(/^v1 /);
  const before = cell.hostRequests.length;
  for (let at = 0; at < 5; at++)
    expect((await say("none--acme.localhost")).response.statusCode).toBe(404);
  expect(cell.hostRequests.length - before).toBeLessThanOrEqual(2);
});

/** Sends raw bytes and answers the status line and body. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(join(cell.folder, "front.sock"));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
    socket.write(bytes);
  });
}

test("the gateway refuses Host headers that are not a hostname", async () => {
  await publish("acme/own", {});
  const hosts = [
    "own--acme.localhost/x?",
    "a@own--acme.localhost",
    "own--acme.localhost, b.test",
    "own--acme.localhost#",
    "own--acme.localhost:x",
    "..",
    "[::1]",
    "own--acme.localhost\\x",
  ];
  for (const host of hosts) {
    const answer = await raw(`GET /p HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer, host).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer, host).not.toMatch(/v1 /);
  }
});

test("two Host headers and a bare star reach no app, an absolute target only its Host's", async () => {
  await publish("acme/own", {});
  const two =
    "GET / HTTP/1.1\r\nHost: own--acme.localhost\r\nHost: b.test\r\nConnection: close\r\n\r\n";
  expect(await raw(two)).not.toMatch(/v1 /);
  const absolute =
    "GET http://evil.test/x HTTP/1.1\r\nHost: own--acme.localhost\r\nConnection: close\r\n\r\n";
  expect(await raw(absolute)).toContain("v1 http://own--acme.localhost/x -");
  const star = "OPTIONS * HTTP/1.1\r\nHost: own--acme.localhost\r\nConnection: close\r\n\r\n";
  expect(await raw(star)).toMatch(/400 /);
});

test("problems name the request and show no stack", async () => {
  const response = await cell.call("nobody--acme.localhost", "/", {
    headers: { "ignite-request-id": "req7" },
  });
  expect(response.headers["content-type"]).toBe("application/problem+json");
  const problem = await jsonOf(response);
  expect(problem).toEqual({
    type: "https://ignite.dev/errors/app-not-found",
    title: "App not found",
    status: 404,
    detail: "No app answers at this host.",
    instance: "req7",
    reason: "APP_NOT_FOUND",
  });
});

test("Server-Timing is added for a caller who asks", async () => {
  await publish("acme/timed", {});
  expect((await say("timed--acme.localhost")).response.headers["server-timing"]).toBeUndefined();
  const { response } = await say("timed--acme.localhost", "/", { "ignite-timing": "1" });
  expect(response.headers["server-timing"]).toMatch(/^route;dur=[\d.]+, guest;dur=[\d.]+$/);
});
