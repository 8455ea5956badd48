import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLog } from "../../../core/log.ts";
import { findProgram } from "../programs.ts";
import { parseFailure, wasLost } from "./failure-log.ts";
import { startFront } from "./front.ts";
import { renderFrontConfig } from "./haproxy-config.ts";
import { routeMap } from "./route-maps.ts";

const haproxy = findProgram("haproxy");

test.skipIf(haproxy === undefined)("renderFrontConfig() is what HAProxy accepts", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ignite-front-"));
  const at = (name: string) => join(folder, name);
  const text = renderFrontConfig({
    binds: [`unix@${at("public.sock")}`],
    internalSocket: at("front.sock"),
    adminSocket: at("admin.sock"),
    assignSocket: at("assign.sock"),
    controlSocket: at("control.sock"),
    hostsMap: at("hosts.map"),
    groupsMap: at("groups.map"),
    platformHosts: ["localhost", "127.0.0.1"],
    cells: [{ id: "c1", socket: at("c1.sock") }],
    threads: 1,
    connectionsMax: 100,
  });
  for (const name of ["hosts.map", "groups.map"]) await writeFile(at(name), "");
  await writeFile(at("haproxy.cfg"), text);
  const { status, stdout, stderr } = spawnSync(haproxy ?? "", ["-c", "-f", at("haproxy.cfg")]);
  await rm(folder, { recursive: true });
  expect(`${stdout}${stderr}`).toMatch(/^Configuration file is valid\s*$/);
  expect(status).toBe(0);
});

test.skipIf(haproxy === undefined)("startFront() says that the port is taken", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ignite-front-"));
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const starting = startFront({
    run: folder,
    host: "127.0.0.1",
    port,
    platformHosts: ["localhost"],
    controlSocket: join(folder, "control.sock"),
    assignSocket: join(folder, "assign.sock"),
    cells: [{ id: "c1", socket: join(folder, "c1.sock") }],
    haproxy: haproxy ?? "",
    onFailure() {},
    log: silentLog,
  });
  await expect(starting).rejects.toMatchObject({ reason: "PORT_IN_USE" });
  server.close();
  await rm(folder, { recursive: true });
});

test("parseFailure() reads a line of the front, and nothing else", () => {
  const line = "FAILED 01a2 cells c1 SH 502 GET hello--acme.localhost /die 1795491795992 4";
  const failed = parseFailure(line);
  expect(failed).toMatchObject({ requestId: "01a2", server: "c1", path: "/die", durationMs: 4 });
  expect(failed && wasLost(failed)).toBe(true);
  const byCaller = parseFailure(line.replace(" SH ", " CD "));
  expect(byCaller && wasLost(byCaller)).toBe(false);
  expect(parseFailure("Proxy public started.")).toBeUndefined();
});

test("routeMap() takes nothing that could become a command", async () => {
  const map = routeMap("/nowhere", () => undefined);
  await map.set("hello--acme.localhost", "acme");
  expect(map.get("hello--acme.localhost")).toBe("acme");
  for (const bad of ["a;b", "a b", "a\nb", ""]) {
    await expect(map.set(bad, "acme"), bad).rejects.toThrow(/map key/);
    await expect(map.set("a", bad), bad).rejects.toThrow(/map value/);
  }
});

test.skipIf(haproxy === undefined)("stop() waits for requests, not for idle callers", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ignite-front-"));
  const { promise: asked, resolve: ask } = Promise.withResolvers<() => void>();
  const control = createHttpServer((_request, response) => {
    response.writeHead(200).write("first ");
    ask(() => response.end("last"));
  }).listen(join(folder, "control.sock"));
  const front = await startFront({
    run: folder,
    host: "127.0.0.1",
    port: 0,
    platformHosts: ["localhost"],
    controlSocket: join(folder, "control.sock"),
    assignSocket: join(folder, "assign.sock"),
    cells: [{ id: "c1", socket: join(folder, "c1.sock") }],
    haproxy: haproxy ?? "",
    onFailure() {},
    log: silentLog,
  });
  const idle = createConnection(front.port, "127.0.0.1").on("error", () => {});
  await once(idle, "connect");
  const answer = await fetch(`http://localhost:${front.port}/`);
  const finish = await asked;
  let stopped = false;
  const stopping = front.stop(60_000).then(() => (stopped = true));
  await expect.poll(() => connects(front.port)).toBe(false);
  expect(stopped).toBe(false);
  finish();
  expect(await answer.text()).toBe("first last");
  const gone = once(idle, "close");
  await stopping;
  await gone;
  control.close();
  await rm(folder, { recursive: true });
});

test.skipIf(haproxy === undefined)("one address takes a part of the connections only", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ignite-front-"));
  const front = await startFront({
    run: folder,
    host: "127.0.0.1",
    port: 0,
    platformHosts: ["localhost"],
    controlSocket: join(folder, "control.sock"),
    assignSocket: join(folder, "assign.sock"),
    cells: [{ id: "c1", socket: join(folder, "c1.sock") }],
    haproxy: haproxy ?? "",
    connectionsMax: 8,
    onFailure() {},
    log: silentLog,
  });
  const open = Array.from({ length: 3 }, () => createConnection(front.port, "127.0.0.1"));
  for (const socket of open) socket.on("error", () => {});
  await expect.poll(() => open.filter(({ destroyed }) => destroyed).length).toBe(1);
  const other = createConnection({
    port: front.port,
    host: "127.0.0.1",
    localAddress: "127.0.0.2",
  });
  other.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(String((await once(other, "data"))[0])).toContain("HTTP/1.1 503");
  for (const socket of [...open, other]) socket.destroy();
  await front.stop(1_000);
  await rm(folder, { recursive: true });
});

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
