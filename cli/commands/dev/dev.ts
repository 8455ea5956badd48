import { spawn } from "node:child_process";
import type { Command } from "../../command.ts";
import type { CommandContext } from "../../context.ts";
import type { Build, DevSession } from "../../dev/session.ts";

/** `ignite dev` */
export const command: Command = {
  args: [{ name: "folder", summary: "folder of the app (default: here)", optional: true }],
  options: [
    { flags: "--port <number>", summary: "port; 0 picks a free one", fallback: "8788" },
    { flags: "--host <address>", summary: "address to listen on", fallback: "127.0.0.1" },
    { flags: "--inspector-port <number>", summary: "port of the V8 inspector", fallback: "9229" },
    { flags: "--no-inspector", summary: "run without the inspector" },
  ],
  details:
    "Serves the app on this machine and compiles it again whenever a file is saved. While the\n" +
    "newest source has errors the last good version answers; terminal and browser show why.\n" +
    "Needs no platform. Variables of a file .env are added to those of ignite.toml. Keys: o opens\n" +
    "a browser, c clears the terminal, x ends.",
  examples: [
    ["ignite dev", "the app of this folder on http://localhost:8788"],
    ["ignite dev shop --port 0", "another folder, any free port"],
  ],
  async run(context, input) {
    const { startDevSession } = await import("../../dev/start.ts");
    const { io } = context;
    const ended = Promise.withResolvers<void>();
    const session = await startDevSession(context, {
      dir: context.path(input.arg("folder") ?? "."),
      host: input.text("host") ?? "127.0.0.1",
      port: input.number("port") ?? 8788,
      inspectorPort: input.flag("inspector") ? (input.number("inspectorPort") ?? 9229) : undefined,
      onBuild: (build) => report(context, build),
    });
    io.item({ ready: true, url: session.url, pid: process.pid }, () =>
      [
        `${io.colors.green("Serving")} ${io.colors.cyan(session.url)}`,
        ...(io.streams.stdin.isTTY ? ["  [o] open in a browser  [c] clear  [x] exit"] : []),
      ].join("\n"),
    );
    listenToKeys(context, session, ended.resolve);
    process.once("SIGINT", ended.resolve);
    process.once("SIGTERM", ended.resolve);
    await ended.promise;
    io.streams.stdin.pause();
    await session.close();
  },
};

function report({ io }: CommandContext, build: Build): void {
  const tookMs = Math.round(build.tookMs);
  for (const warning of build.warnings) io.progress(warning);
  if (io.json) return io.item({ built: build.ok, took_ms: tookMs, failure: build.failure }, String);
  const { green, red } = io.errorColors;
  if (build.ok) return io.progress(green(`compiled in ${tookMs} ms`));
  const meanwhile = build.olderServes ? "; the last good version answers" : "";
  io.progress(`${build.failure ?? ""}\n${red(`not compiled${meanwhile}`)}`);
}

function listenToKeys({ io }: CommandContext, { url }: DevSession, exit: () => void): void {
  const { stdin, stdout } = io.streams;
  if (!stdin.isTTY) return;
  (stdin as NodeJS.ReadStream).setRawMode(true);
  stdin.on("data", (data: Buffer) => {
    const key = data.toString();
    if (key === "x" || key === "\u0003") exit();
    if (key === "c") stdout.write("\u001b[2J\u001b[H");
    if (key === "o") openBrowser(url);
  });
}

function openBrowser(url: string): void {
  const program = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(program, [url], { stdio: "ignore", detached: true });
  child.on("error", () => {}); // No browser here; the address is on the screen
  child.unref();
}
