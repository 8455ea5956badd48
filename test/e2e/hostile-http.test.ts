/** Requests that no honest client sends, as bytes on the public port. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientOf, deploySource, newOrganization } from "../harness/apps.ts";
import { startPlatform, type TestPlatform, until } from "../harness/platform.ts";
import { sendRaw } from "../harness/raw-http.ts";

const ECHO = `export default { async fetch(request: Request) {
  const { host, pathname } = new URL(request.url);
  if (pathname === "/calls") return new Response(String(calls));
  calls++;
  return Response.json({ app: "APP", host, pathname, body: await request.text() });
} };
let calls = 0;
`;

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startPlatform();
  await deploySource(clientOf(platform), "local/echo", ECHO.replace("APP", "local"));
  const acme = await newOrganization(platform, "acme");
  await deploySource(acme, "acme/echo", ECHO.replace("APP", "acme"));
});

afterAll(() => platform.dispose());

const get = (lines: string[], target = "/") =>
  sendRaw(
    platform.url,
    [`GET ${target} HTTP/1.1`, ...lines, "connection: close", "", ""].join("\r\n"),
  );

const callsOf = async (org: string) =>
  Number(await (await fetch(`${platform.url}/@${org}/echo/calls`)).text());

test.each([
  ["a path in it", "a/x?"],
  ["an app's host and a path", "echo--local.localhost/x?"],
  ["user information", "a@b"],
  ["an app's host as user information", "echo--local.localhost@echo--acme.localhost"],
  ["a space", "echo--local.localhost echo--acme.localhost"],
  ["a list", "echo--local.localhost, echo--acme.localhost"],
  ["an empty label", "echo--local..localhost"],
  ["a dot at its end", "echo--local.localhost."],
  ["letters that only look alike", "есhо--local.localhost"],
  ["an encoded letter", "%65cho--local.localhost"],
  ["an address in brackets", "[::1]"],
  ["a port that is none", "echo--local.localhost:99x"],
  ["a NUL", "echo--local.localhost\0"],
  ["nothing", ""],
])("a Host header with %s is refused", async (_what, host) => {
  const answer = await get([`host: ${host}`]);
  expect(answer.status).toBe(400);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(JSON.parse(answer.body)).toMatchObject({ status: 400 });
});

test("TRACE, which sends back what came, reaches neither apps nor the API", async () => {
  for (const host of ["echo--local.localhost", "localhost"]) {
    const lines = ["TRACE / HTTP/1.1", `host: ${host}`, "connection: close", "", ""];
    const answer = await sendRaw(platform.url, lines.join("\r\n"));
    expect(answer.status, host).toBe(405);
    expect(JSON.parse(answer.body)).toMatchObject({ reason: "METHOD_NOT_ALLOWED" });
  }
});

test("two Host headers that differ, and none, are refused", async () => {
  const [first, second] = ["host: echo--local.localhost", "host: echo--acme.localhost"];
  for (const lines of [[first, second], [second, first], []]) {
    expect((await get(lines)).status, lines.join()).toBe(400);
  }
});

test.each([
  "echo---local.localhost",
  "-echo--local.localhost",
  "x.echo--local.localhost",
  "echo--local.localhost.evil.test",
  "xn--echo--local.localhost",
  "v01--echo--local.localhost",
  "v1--v1--echo--local.localhost",
  "v99--echo--local.localhost",
  "echo--local--acme.localhost",
  "echo.localhost",
])("%s is nobody's address", async (host) => {
  const answer = await get([`host: ${host}`]);
  expect([400, 404]).toContain(answer.status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
});

test("the case of a host does not matter", async () => {
  const answer = await get(["host: ECHO--Local.LOCALHOST"]);
  expect(answer.status).toBe(200);
  expect(answer.body).toContain('"app":"local"');
});

test("an absolute-form target never leads elsewhere than its Host header", async () => {
  const host = "echo--local.localhost";
  const agreeing = await get([`host: ${host}`], `http://${host}/there`);
  expect([200, 400]).toContain(agreeing.status);
  if (agreeing.status === 200) expect(agreeing.body).toContain('"pathname":"/there"');
  const other = await get([`host: ${host}`], "http://echo--acme.localhost/there");
  expect(other.status === 200 ? other.body : '"app":"none"').not.toMatch(/"app":"local".*acme/);
  expect([200, 400]).toContain(other.status);
  for (const target of ["http://a@echo--acme.localhost/", "ftp://x/", "//evil/", "*", "x"]) {
    const answer = await get([`host: ${host}`], target);
    expect([200, 400, 404], target).toContain(answer.status);
    expect(answer.body, target).not.toContain('"app":"acme"');
  }
});

test("paths are the app's own, also where they look like another's", async () => {
  for (const path of ["/@acme/echo/", "//@acme/echo", "/..%2f@acme/echo", "/%40acme/echo"]) {
    const answer = await get(["host: echo--local.localhost"], path);
    expect(answer.body, path).toContain('"app":"local"');
  }
  const climbing = await get(["host: localhost"], "/@local/echo/../../@acme/echo/");
  expect(climbing.body).not.toContain('"app":"acme"');
});

test("oversized and countless headers are refused, and the next caller is served", async () => {
  const long = await get(["host: echo--local.localhost", `x-long: ${"x".repeat(64 * 1024)}`]);
  expect(long.status).toBe(400);
  const many = Array.from({ length: 500 }, (_, at) => `x-${at}: 1`);
  expect((await get(["host: echo--local.localhost", ...many])).status).toBe(400);
  const target = `/${"x".repeat(64 * 1024)}`;
  expect((await get(["host: echo--local.localhost"], target)).status).toBe(400);
  expect((await get(["host: echo--local.localhost"])).status).toBe(200);
});

test("a body that contradicts its length smuggles nothing", async () => {
  const head = (lines: string[]) =>
    ["POST / HTTP/1.1", "host: echo--local.localhost", ...lines, "", ""].join("\r\n");
  const smuggled = "GET /calls HTTP/1.1\r\nhost: echo--acme.localhost\r\n\r\n";
  const before = await callsOf("acme");
  const both = `${head(["content-length: 5", "transfer-encoding: chunked"])}0\r\n\r\n${smuggled}`;
  const answer = await sendRaw(platform.url, both, { end: true });
  expect(answer.status === 200 ? answer.body : "").not.toContain("GET /calls");
  for (const lines of [
    ["content-length: 5", "content-length: 6"],
    ["content-length: -1"],
    ["content-length: 5x"],
    ["transfer-encoding: chunked, chunked"],
    ["transfer-encoding: xchunked"],
  ]) {
    const refused = await sendRaw(platform.url, `${head(lines)}hello`, { end: true });
    expect(refused.status, lines.join()).toBeGreaterThanOrEqual(400);
    expect(refused.status, lines.join()).toBeLessThan(502);
  }
  expect(await callsOf("acme")).toBe(before);
});

test("a body shorter than its length is never taken for a whole one", async () => {
  const short =
    "POST / HTTP/1.1\r\nhost: echo--local.localhost\r\ncontent-length: 100\r\n\r\nhello";
  const answer = await sendRaw(platform.url, short, { end: true });
  expect(answer.status, answer.body).not.toBe(200);
  await until("the next is served", async () => {
    return (await get(["host: echo--local.localhost"])).status === 200;
  });
});

test("what is not HTTP at all is answered with a problem or a closed connection", async () => {
  for (const bytes of [
    "\0\0\0\0\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "\x16\x03\x01\x02",
  ]) {
    const answer = await sendRaw(platform.url, bytes, { end: true });
    expect([0, 400, 505], JSON.stringify(bytes)).toContain(answer.status);
  }
});
