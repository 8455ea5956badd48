import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "../../command.ts";

/** `ignite backend` */
export const command: Command = {
  options: [
    { flags: "--data <folder>", summary: "where everything is kept", fallback: ".ignite/data" },
    { flags: "--store-port <number>", summary: "port of store", fallback: "8790" },
    { flags: "--region-port <number>", summary: "port of the region", fallback: "8791" },
    { flags: "--platform-port <number>", summary: "port of wrangler dev", fallback: "8787" },
    { flags: "--vars <file>", summary: "where credentials go (default: .dev.vars of Ignite)" },
  ],
  details:
    "Runs what the platform's Worker needs (store and region) on ports of this machine and writes\n" +
    "their credentials to .dev.vars, where `wrangler dev` finds them. For work on Ignite itself.",
  examples: [["ignite backend", "then, in another terminal: npx wrangler dev"]],
  async run(context, input) {
    const [{ startBackend }, { exposeSocket }, { packageRoot }, { jsonLog }] = await Promise.all([
      import("../../platform/backend.ts"),
      import("../../platform/expose-socket.ts"),
      import("../../root.ts"),
      import("../../../core/log.ts"),
    ]);
    const { io, env, cwd } = context;
    const stopped = new Promise<void>((done) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
    });
    const port = input.number("platformPort") ?? 8787;
    const backend = await startBackend({
      dataDir: resolve(cwd, input.text("data") ?? ".ignite/data"),
      domain: "localhost",
      port,
      log: jsonLog((line) => io.progress(line), {}, "warn"),
      onProgress: (what) => io.json || io.progress(`starting ${what} …`),
    });
    const { sockets, storeToken, data } = backend;
    const store = await exposeSocket(sockets.store, input.number("storePort") ?? 8790);
    const region = await exposeSocket(sockets.region, input.number("regionPort") ?? 8791);
    const { org, key } = await backend.bootstrap();
    const url = `http://localhost:${port}`;
    if (key !== undefined) {
      const { saveContext } = await import("../../contexts.ts");
      await saveContext(env, "local", { api: url, key, org });
    }
    const variables = {
      STORE_URL: `http://127.0.0.1:${store.port}`,
      REGION_URL: `http://127.0.0.1:${region.port}`,
      STORE_TOKEN: storeToken,
      PLANE_KEY: data.masterKey.toString("base64"),
      ...(port === 8787
        ? {}
        : { CONFIG: JSON.stringify({ domain: `localhost:${port}`, publicUrl: url }) }),
    };
    const lines = Object.entries(variables).map(([name, value]) => `${name}='${value}'\n`);
    const file = input.text("vars");
    const path = file === undefined ? join(packageRoot(), ".dev.vars") : resolve(cwd, file);
    await writeFile(path, lines.join(""), { mode: 0o600 });
    io.item({ ready: true, url, key, org, pid: process.pid }, () =>
      [
        io.colors.green("The backend is ready; now run  npx wrangler dev"),
        ...(key === undefined ? [] : [`  API key  ${key}   (shown once; saved as "local")`]),
      ].join("\n"),
    );
    await stopped;
    await Promise.all([store.close(), region.close()]);
    await backend.close();
  },
};
