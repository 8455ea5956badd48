import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { localFetch } from "./local-fetch.ts";

let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.statusCode = request.url === "/none" ? 204 : 200;
    response.end(`${request.headers.host} ${request.method} ${await text(request)}`);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.close();
});

test("localFetch() reaches names below localhost with their own Host header", async () => {
  const url = `http://hello--acme.localhost:${port}/`;
  const response = await localFetch(url, { method: "PUT", body: "body" });
  expect(await response.text()).toBe(`hello--acme.localhost:${port} PUT body`);
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
});

test("localFetch() answers a response without a body", async () => {
  expect((await localFetch(`http://x.localhost:${port}/none`)).status).toBe(204);
});

test("localFetch() fails as fetch does when nothing answers", async () => {
  await expect(localFetch("http://x.localhost:1/")).rejects.toBeInstanceOf(TypeError);
});

test("localFetch() leaves all other addresses to fetch", async () => {
  const response = await localFetch(`http://127.0.0.1:${port}/`);
  expect(await response.text()).toBe(`127.0.0.1:${port} GET `);
});
