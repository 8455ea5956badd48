/** The platform as one Worker: `wrangler dev` over `ignite backend`, and a dry run of deploying. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { freePort } from "../../cli/platform/port.ts";
import { ignite, until } from "../harness/platform.ts";
import { startProcess } from "../harness/process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CLI = join(ROOT, "cli/bin.mjs");
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const QUIET = { WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", CI: "1" };

test("wrangler dev serves control and gateway over the local store", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ignite-wrangler-"));
  const env = { ...process.env, ...QUIET, XDG_CONFIG_HOME: join(folder, "config") };
  const port = await freePort("127.0.0.1", 0);
  const vars = join(folder, "dev.vars");
  const ports = ["--store-port", "0", "--region-port", "0", "--platform-port", String(port)];
  const data = ["--data", join(folder, "data"), "--vars", vars];
  const backend = startProcess(process.execPath, [CLI, "backend", "--json", ...ports, ...data], {
    cwd: folder,
    env,
  });
  await backend.line((line) => line.includes('"ready":true'));
  const flags = ["--port", String(port), "--env-file", vars, "--persist-to", join(folder, "state")];
  const dev = startProcess(process.execPath, [WRANGLER, "dev", ...flags], { cwd: ROOT, env });
  try {
    const url = `http://localhost:${port}`;
    const ready = () =>
      fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until("wrangler dev answers", ready, 60_000);
    const app = join(folder, "app");
    const config = { env: { XDG_CONFIG_HOME: join(folder, "config") } };
    expect(await ignite(["init", app], config)).toMatchObject({ code: 0 });
    for (const text of ["one", "two"]) {
      const source = `export default { fetch: () => new Response("${text}") };\n`;
      await writeFile(join(app, "main.ts"), source);
      const deployed = await ignite(["deploy", app], config);
      expect(deployed.code, deployed.stderr).toBe(0);
      expect(await (await fetch(`${url}/@local/app/`)).text()).toBe(text);
    }
    expect(await ignite(["rollback", "app"], config)).toMatchObject({ code: 0 });
    expect(await (await fetch(`${url}/@local/app/`)).text()).toBe("one");
  } finally {
    await dev.stop();
    await backend.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test("wrangler deploy --dry-run accepts wrangler.toml", async () => {
  const child = spawn(process.execPath, [WRANGLER, "deploy", "--dry-run"], {
    cwd: ROOT,
    env: { ...process.env, ...QUIET },
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, "close");
  expect(code, output).toBe(0);
  expect(output).toContain("env.LOADER");
});
