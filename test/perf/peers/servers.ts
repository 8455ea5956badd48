/** Servers that run an app without isolating it. */
import { fileURLToPath } from "node:url";
import { greeting, type Peer, startPeer } from "./peer.ts";

const BODY = JSON.stringify(greeting);

const DENO = `Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, () => new Response(${BODY}));
`;

const NODE = `import { createServer } from "node:http";
const server = createServer((request, response) => {
  response.writeHead(200, { "content-type": "text/plain;charset=UTF-8" });
  response.end(${BODY});
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
`;

/** `deno serve`'s own engine with one handler. */
export function startDenoServe(): Promise<Peer> {
  return startPeer({
    file: fileURLToPath(new URL("../../../node_modules/deno/deno", import.meta.url)),
    args: ["run", "--allow-net=127.0.0.1", "--no-config", "main.ts"],
    files: { "main.ts": DENO },
    readyOn: 1,
  });
}

/** Node's http module with one handler. */
export function startNodeHttp(): Promise<Peer> {
  return startPeer({
    file: process.execPath,
    args: ["main.mjs"],
    files: { "main.mjs": NODE },
    readyOn: 1,
  });
}
