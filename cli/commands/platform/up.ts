import { resolve } from "node:path";
import { jsonLog, type Log, type LogLevel } from "../../../core/log.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Command } from "../../command.ts";
import type { CommandContext } from "../../context.ts";

/** `ignite up` */
export const command: Command = {
  options: [
    { flags: "--port <number>", summary: "public port; 0 picks a free one", fallback: "8787" },
    { flags: "--host <address>", summary: "address to listen on", fallback: "127.0.0.1" },
    { flags: "--grpc-port <number>", summary: "port for native gRPC", fallback: "0" },
    { flags: "--data <folder>", summary: "where everything is kept", fallback: ".ignite/data" },
    { flags: "--cells <number>", summary: "blank cells kept ready", fallback: "1" },
    { flags: "--no-containers", summary: "run without the container backend" },
    { flags: "--open-metrics", summary: "let anyone read /metrics, as on loopback anyway" },
    { flags: "--examples", summary: "deploy the examples once everything answers" },
    { flags: "--verbose", summary: "show the platform's own log" },
  ],
  details:
    "Starts the whole platform on this machine and stays until Ctrl-C, which finishes running\n" +
    "requests first. The first start makes an organization and a key, saves them as the context\n" +
    '"local", and prints the key once.',
  examples: [
    ["ignite up", "on http://localhost:8787"],
    ["ignite up --port 9000 --data /var/lib/ignite", "elsewhere"],
    ["ignite up --json --port 0", "one JSON line when every part answers, for scripts"],
  ],
  async run(context, input) {
    const startMs = performance.now();
    const { startPlatform } = await import("../../platform/platform.ts");
    const { io } = context;
    const log = logOf(context, input.flag("verbose"));
    const stopped = stopSignal();
    const platform = await startPlatform({
      dataDir: resolve(context.cwd, input.text("data") ?? ".ignite/data"),
      port: input.number("port") ?? 8787,
      host: input.text("host") ?? "127.0.0.1",
      grpcPort: input.number("grpcPort") ?? 0,
      spareCells: input.number("cells"),
      openMetrics: input.flag("openMetrics") || undefined,
      log,
      onProgress: (what) => io.json || io.progress(`starting ${what} …`),
    });
    try {
      await announce(context, platform, performance.now() - startMs);
      if (input.flag("examples")) {
        const { deployExamples } = await import("../../platform/examples.ts");
        await deployExamples(context, platform);
      }
      await stopped;
    } finally {
      if (!io.json) io.progress("stopping …");
      await platform.close();
    }
  },
};

async function announce(context: CommandContext, platform: Platform, tookMs: number) {
  const { io, env } = context;
  const { url, grpcUrl, org } = platform;
  const { readContexts, saveContext } = await import("../../contexts.ts");
  const known = (await readContexts(env)).contexts["local"];
  const key = platform.key ?? (known?.org === org ? known.key : undefined);
  if (key !== undefined) await saveContext(env, "local", { api: url, key, org });
  io.item({ ready: true, url, grpc_url: grpcUrl, key, org, pid: process.pid }, () =>
    [
      `${io.colors.green("Ignite is ready")} after ${(tookMs / 1000).toFixed(1)} s`,
      `  control API and apps  ${io.colors.cyan(url)}   (reference: ${url}/docs)`,
      `  native gRPC           ${grpcUrl}`,
      `  organization          ${org}`,
      ...(platform.key === undefined
        ? []
        : [`  API key               ${platform.key}   (shown once; saved as context "local")`]),
    ].join("\n"),
  );
}

/** Resolves at the first Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((done) => {
    process.once("SIGTERM", () => done());
    process.once("SIGINT", () => {
      process.once("SIGINT", () => process.exit(130));
      done();
    });
  });
}

function logOf({ io }: CommandContext, verbose: boolean): Log {
  const minimum: LogLevel = verbose ? "info" : "warn";
  if (io.json) return jsonLog((line) => io.progress(line), {}, minimum);
  const write = (line: string) => {
    const { level, message, time: _time, ...fields } = JSON.parse(line) as Record<string, string>;
    const extras = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
    io.progress(`${level}: ${message}${extras.length > 0 ? `  (${extras.join(", ")})` : ""}`);
  };
  return jsonLog(write, {}, minimum);
}
