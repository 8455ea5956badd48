/** workerd without Ignite: a static worker, and the least that uses the Worker Loader. */
import { workerdBinary } from "../../../runtime/host/workerd-process.ts";
import { greeting, type Peer, startPeer } from "./peer.ts";

const APP = `export default { fetch() { return new Response(${JSON.stringify(greeting)}); } };\n`;

/** Loads one isolate per Host header from code in memory and passes the request on. */
const LOADER = `const code = {
  compatibilityDate: "2026-08-01",
  mainModule: "main.js",
  modules: { "main.js": ${JSON.stringify(APP)} },
};
export default {
  fetch(request, env) {
    return env.LOADER.get(request.headers.get("host"), () => code).getEntrypoint().fetch(request);
  },
};
`;

/** The barest Worker Loader: what our gateway's cost is compared with. */
export function startBarestLoader(): Promise<Peer> {
  return startWorkerdPeer(LOADER, `(name = "LOADER", workerLoader = ())`);
}

/** A worker that workerd was configured with. */
export function startStaticWorkerd(): Promise<Peer> {
  return startWorkerdPeer(APP, "");
}

function startWorkerdPeer(source: string, bindings: string): Promise<Peer> {
  return startPeer({
    file: workerdBinary(),
    args: ["serve", "--experimental", "--control-fd=3", "config.capnp", "config"],
    files: { "config.capnp": configOf(bindings), "main.js": source },
    readyOn: 3,
  });
}

function configOf(bindings: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "main.js", esModule = embed "main.js")],
    compatibilityDate = "2026-08-01",
    compatibilityFlags = ["experimental"],
    bindings = [${bindings}]
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`;
}
