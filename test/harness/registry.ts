/** An npm registry with one package, `greeter`; for the rest it points to the machine's own. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { configuredRegistry } from "../../compiler/deno/registries.ts";
import { packTree } from "../../compiler/pack-tree.ts";

/** A registry that listens. */
export interface TestRegistry {
  url: string;
  /** From now on nobody gets the package. Fulfilled when somebody has asked for it. */
  hold(): Promise<void>;
  /** Answers those who wait, and all who come. */
  release(): void;
  close(): Promise<void>;
}

/** What the package exports as `greet`. */
export const greeting = "hello from the registry";

/** Starts it on a free port. */
export async function startRegistry(): Promise<TestRegistry> {
  const upstream = await configuredRegistry();
  const tarball = await packTree({
    "package/package.json": JSON.stringify({ name: "greeter", version: "1.0.0", main: "main.js" }),
    "package/main.js": `exports.greet = ${JSON.stringify(greeting)};\n`,
  });
  let isHeld = false;
  let onAsked = () => {};
  const waiting: ServerResponse[] = [];
  const server = createServer(({ url: path = "" }, response) => {
    if (path === "/greeter.tgz") return void response.end(tarball);
    if (path !== "/greeter") {
      return void response
        .writeHead(307, { location: new URL(path.slice(1), upstream).href })
        .end();
    }
    onAsked();
    if (isHeld) waiting.push(response);
    else response.end(packument);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const packument = packumentOf(tarball, `${url}greeter.tgz`);
  return {
    url,
    hold() {
      isHeld = true;
      return new Promise<void>((asked) => {
        onAsked = asked;
      });
    },
    release() {
      isHeld = false;
      for (const response of waiting.splice(0)) response.end(packument);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function packumentOf(bytes: Uint8Array, tarball: string): string {
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const version = { name: "greeter", version: "1.0.0", dist: { tarball, integrity } };
  const tags = { latest: "1.0.0" };
  return JSON.stringify({ name: "greeter", "dist-tags": tags, versions: { "1.0.0": version } });
}
