import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppAddress } from "../documents/documents.ts";
import { type Assigner, startAssigner } from "./assigner.ts";
import type { FailedRequest } from "./failure-log.ts";

let folder: string;
let assigner: Assigner;
let cell: Server;
/** Requests that came to the cell, by path, and those that it was told were over. */
let begun: string[];
let ended: string[];
let failures: FailedRequest[];
let unreachable: string[];
/** Assignments that wait, while they are held. */
let held: (() => void)[] | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ignite-assigner-"));
  [begun, ended, failures, unreachable, held] = [[], [], [], [], undefined];
  cell = createServer((incoming, response) => {
    const { url = "" } = incoming;
    begun.push(url);
    response.on("close", () => ended.push(url));
    if (url !== "/hang") response.end("fine");
  }).listen(at("cell"));
  await once(cell, "listening");
  assigner = await startAssigner({
    socketPath: at("assigner"),
    platformHosts: ["localhost"],
    find: () => ({ app: { key: "acme/hello" } }) as AppAddress,
    async assign() {
      await new Promise<void>((go) => (held === undefined ? go() : held.push(go)));
      return { id: "c1", frontSocket: at("cell") };
    },
    lossIn: async () => "CELL_LOST",
    onUnreachable: (id) => unreachable.push(id),
    onFailure: (failed) => failures.push(failed),
  });
});

afterEach(async () => {
  await assigner.close();
  cell.closeAllConnections();
  await new Promise((closed) => cell.close(closed)); // Also when it is closed already
  await rm(folder, { recursive: true });
});

const at = (name: string) => join(folder, `${name}.sock`);

/** Begins a request to the app; its failure is the caller's own doing here. */
function begin(path: string, method = "GET") {
  const headers = { host: "hello--acme.localhost" };
  const sent = request({ socketPath: at("assigner"), path, method, headers });
  sent.on("error", () => {});
  return sent;
}

async function answerTo(path: string): Promise<number | undefined> {
  const sent = begin(path).end();
  const [response] = await once(sent, "response");
  response.resume();
  return response.statusCode;
}

test.each([
  ["GET", ""],
  ["POST", "half of a body"],
])(
  "a caller of %s that leaves while a cell is assigned is nobody's failure",
  async (method, body) => {
    const waiting: (() => void)[] = [];
    held = waiting;
    const leaving = begin("/hang", method);
    if (body === "") leaving.end();
    else leaving.write(body);
    await expect.poll(() => waiting).toHaveLength(1);
    leaving.destroy();
    const next = answerTo("/next"); // Once this one is seen, so is that the other one has left
    await expect.poll(() => waiting).toHaveLength(2);
    for (const go of waiting) go();
    expect(await next).toBe(200);
    await expect.poll(() => begun.filter((url) => !ended.includes(url))).toEqual([]);
    expect([failures, unreachable]).toEqual([[], []]);
  },
);

test("a caller that leaves while the cell works ends the cell's request, and is no failure", async () => {
  const leaving = begin("/hang").end();
  await expect.poll(() => begun).toEqual(["/hang"]);
  leaving.destroy();
  await expect.poll(() => ended).toEqual(["/hang"]);
  expect(await answerTo("/after")).toBe(200);
  expect([failures, unreachable]).toEqual([[], []]);
});

test("a request that a cell does not answer is a failure, and a 503", async () => {
  const sent = begin("/hang").end();
  await expect.poll(() => begun).toEqual(["/hang"]);
  cell.closeAllConnections();
  const [response] = await once(sent, "response");
  response.resume();
  expect(response.statusCode).toBe(503);
  expect(failures).toMatchObject([{ server: "c1", path: "/hang", key: "hello--acme.localhost" }]);
});

test("a cell that does not listen is told of, and its request is a failure", async () => {
  cell.closeAllConnections();
  await new Promise((closed) => cell.close(closed));
  expect(await answerTo("/")).toBe(503);
  expect(unreachable).toEqual(["c1"]);
  expect(failures).toMatchObject([{ server: "c1", path: "/" }]);
});
