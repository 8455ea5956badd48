/**
 * Any Host header and path, as bytes on a connection: a cell answers from the app that the grammar
 * of core/names.ts says, or from none.
 */
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseHost, targetOfHost, targetOfPath } from "../../core/names.ts";
import { startTestCell, type TestCell } from "../../test/harness/workerd.ts";

const APPS = ["acme/hello", "acme/other", "evil/hello"];

let cell: TestCell;
beforeAll(async () => {
  cell = await startTestCell();
  for (const app of APPS) {
    const answer = `"<" + ${JSON.stringify(app)} + " " + new URL(request.url).pathname + ">"`;
    const source = `export default { fetch: (request) => new Response(${answer}) };`;
    await cell.deploy(app, source);
  }
});
afterAll(() => cell.stop());

/** The app that answers, with the path it sees, or the status of a refusal. */
async function ask(host: string, path: string): Promise<string> {
  const socket = connect(join(cell.folder, "front.sock"));
  socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, "latin1");
  const answer = await text(socket);
  return /<.*>/.exec(answer)?.[0] ?? /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "closed";
}

/** The same by the grammar, which reads a path as it came; apps see it as URLs are. */
function expected(rawHost: string, path: string): string {
  const host = parseHost(rawHost);
  if (host === undefined) return "400";
  const byHost = targetOfHost(host.name, "localhost");
  const byPath = byHost === undefined ? targetOfPath(path) : undefined;
  const target = byHost ?? byPath?.target;
  const app = `${target?.org}/${target?.app}`;
  const isThere = APPS.includes(app) && (target?.version ?? 1) === 1;
  const { pathname } = new URL(`http://host${byPath?.rest ?? path}`);
  return isThere ? `<${app} ${pathname}>` : "404";
}

const part = fc.constantFrom("acme", "evil", "hello", "other", "v1", "v2", "x");
const label = fc.oneof(
  fc.constantFrom("hello--acme", "other--acme", "hello--evil", "v1--hello--evil"),
  fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("--")),
);
const domain = fc.oneof(
  fc.constant("localhost"),
  fc.constantFrom("localhost.", "LOCALHOST", "evil.localhost", "a.test"),
);
const port = fc.constantFrom("", ":", ":8787", ":x", ":123456");
const odd = fc.constantFrom(
  "@",
  "/",
  "?",
  "#",
  "\\",
  " ",
  ",",
  "..",
  "%2e",
  "\u00e9",
  "[::1]",
  "-",
);
const plainHost = fc
  .tuple(fc.option(label, { nil: undefined }), domain, port)
  .map(([front, behind, end]) => (front === undefined ? behind : `${front}.${behind}`) + end);
const host = fc.oneof(
  { weight: 4, arbitrary: plainHost },
  {
    weight: 1,
    arbitrary: fc
      .tuple(plainHost, odd, plainHost)
      .map(([first, between, last]) => first + between + last),
  },
);
const segment = fc.constantFrom(
  "@acme",
  "@evil",
  "@",
  "acme",
  "hello",
  "other",
  "%40acme",
  "a--b",
  "..",
  "%2f",
  "",
);
const path = fc
  .tuple(
    fc.constantFrom("", "/@acme/hello", "/@evil/hello"),
    fc.array(segment, { maxLength: 4 }),
    fc.constantFrom("", "?a=/@evil/hello/", "/"),
  )
  .map(([prefix, segments, end]) => `${prefix}/${segments.join("/")}${end}`);

test("a cell answers from the app that the grammar finds in any host and path", async () => {
  await fc.assert(
    fc.asyncProperty(host, path, async (from, to) => {
      expect(await ask(from, to)).toBe(expected(from, to));
    }),
    { numRuns: 200 },
  );
});
