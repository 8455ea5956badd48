import type { IncomingMessage } from "node:http";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonOf, startTestCell, type TestCell, textOf } from "../../../test/harness/workerd.ts";

let cell: TestCell;
const seen: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[] =
  [];

beforeAll(async () => {
  cell = await startTestCell({
    egress: (request, response) => {
      let body = "";
      request.setEncoding("utf8");
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        seen.push({
          method: request.method ?? "",
          url: request.url ?? "",
          headers: request.headers,
          body,
        });
        if (request.url === "/lost") {
          response.writeHead(502, { "ignite-egress-error": "EGRESS_FAILED" });
          response.end(JSON.stringify({ detail: "a.test did not answer." }));
        } else if (request.url === "/moved")
          response.writeHead(302, { location: "http://169.254.169.254/" }).end();
        else response.end(`egress ${request.url}`);
      });
      if (request.headers.upgrade !== "websocket") return;
      const accept = createHash("sha1")
        .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest("base64");
      request.socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      request.socket.write(Buffer.from([0x81, 2, 0x68, 0x69]));
    },
  });
});
afterAll(() => cell.stop());

async function evaluate(body: string, headers: Record<string, string> = {}) {
  await cell.deploy(
    "acme/caller",
    `export default { async fetch(request) { ${body} } } // ${seen.length}`,
  );
  const response = await cell.call("caller--acme.localhost", "/", { headers });
  if (response.statusCode !== 200)
    throw new Error(`${await textOf(response)} ${cell.lines.at(-1)}`);
  return jsonOf(response);
}

test("a guest's fetch reaches the egress process with its address, its app and its hops", async () => {
  const answer = await evaluate(
    `const r = await fetch("https://api.example.org:8443/a?b=1", { method: "POST", body: "hello", headers: { "x-own": "1", "ignite-app": "evil/app", "ignite-hops": "0", "ignite-anything": "x" } });
     return Response.json([r.status, await r.text()])`,
  );
  expect(answer).toEqual([200, "egress /a?b=1"]);
  expect(seen.at(-1)).toMatchObject({
    method: "POST",
    url: "/a?b=1",
    body: "hello",
    headers: {
      "ignite-egress-url": "https://api.example.org:8443/a?b=1",
      "ignite-app": "acme/caller",
      "ignite-version": "1",
      "ignite-hops": "1",
      "x-own": "1",
    },
  });
  expect(seen.at(-1)?.headers).not.toHaveProperty("ignite-anything");
});

test("hops grow with those of the request that is being answered", async () => {
  await evaluate(`return Response.json([await (await fetch("http://other.test/")).text()])`, {
    "ignite-hops": "5",
  });
  expect(seen.at(-1)?.headers["ignite-hops"]).toBe("6");
});

test("redirects go through egress again, so each address is checked", async () => {
  await evaluate(
    `const r = await fetch("http://a.test/moved"); return Response.json(await r.text())`,
  );
  expect(seen.slice(-2).map(({ headers }) => headers["ignite-egress-url"])).toEqual([
    "http://a.test/moved",
    "http://169.254.169.254/",
  ]);
});

test("fetch rejects as everywhere when nobody answers", async () => {
  expect(
    await evaluate(
      `const lost = await fetch("http://a.test/lost").catch((e) => [e instanceof TypeError, e.message]);
       return Response.json(lost)`,
    ),
  ).toEqual([true, "a.test did not answer."]);
});

test("raw connections do not exist, and WebSockets go through egress", async () => {
  expect(
    await evaluate(
      `const { connect } = await import("cloudflare:sockets").catch(() => ({}));
       let failed = "no module"; try { const s = connect("1.1.1.1:80"); await s.opened; failed = "open"; } catch (e) { failed = "failed"; }
       return Response.json(failed)`,
    ),
  ).toBe("failed");
  const said = await evaluate(
    `const socket = new WebSocket("wss://ws.example.org/live");
     const data = await new Promise((f, g) => { socket.onmessage = (e) => f(e.data); socket.onerror = (e) => g(new Error(e.message)); });
     return Response.json(data)`,
  );
  expect(said).toBe("hi");
});

test("an execution calls out as often as it may, and the next one may again", async () => {
  const call = `const all = [];
     for (let at = 0; at < 1_002; at += 1) {
       const r = await fetch("http://api.example.org/");
       all.push(r.headers.get("ignite-egress-error") ?? await r.text());
     }
     return Response.json([all.filter((one) => one.startsWith("egress")).length, all.at(-1)])`;
  expect(await evaluate(call)).toEqual([1_000, "SUBREQUESTS_EXCEEDED"]);
  expect(await evaluate(call)).toEqual([1_000, "SUBREQUESTS_EXCEEDED"]);
});
