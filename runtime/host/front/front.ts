/**
 * Runs HAProxy: starts it on its port, keeps it running, tells of the requests it could not serve.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { IgniteError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { dieWithParent } from "../programs.ts";
import { askHaproxy } from "./admin-socket.ts";
import { type FailedRequest, parseFailure } from "./failure-log.ts";
import { type FrontConfig, renderFrontConfig } from "./haproxy-config.ts";
import { type RouteMap, routeMap } from "./route-maps.ts";
import { watchRequests } from "./when-idle.ts";

/** What the front needs to know. */
export interface FrontOptions {
  /** Folder of configuration, maps and sockets. */
  run: string;
  host: string;
  /** 0 picks a free one. */
  port: number;
  platformHosts: readonly string[];
  controlSocket: string;
  assignSocket: string;
  cells: readonly { id: string; socket: string }[];
  haproxy: string;
  /** Of the public; 8,192 unless told. */
  connectionsMax?: number;
  /** Fills the map of addresses before callers come. */
  prepare?: (hosts: RouteMap) => Promise<void>;
  onFailure: (failed: FailedRequest) => void;
  log: Log;
}

/** A front that listens. */
export interface Front {
  readonly port: number;
  readonly internalSocket: string;
  readonly hosts: RouteMap;
  readonly groups: RouteMap;
  pid(): number | undefined;
  restarts(): number;
  /** Stops accepting, lets what runs finish for at most `graceMs`, ends it. */
  stop(graceMs: number): Promise<void>;
}

const START_TIMEOUT_MS = 5_000;
const CONNECTIONS_MAX = 8_192;
const RESTART_PAUSE_MS = 100;

/** Starts HAProxy and waits until it takes commands. Fails with PORT_IN_USE. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const front = new HaproxyFront(options);
  await front.start();
  return front;
}

class HaproxyFront implements Front {
  readonly internalSocket: string;
  readonly hosts: RouteMap;
  readonly groups: RouteMap;
  readonly #options: FrontOptions;
  readonly #adminSocket: string;
  #port: number;
  #child: ChildProcess | undefined;
  #ready = false;
  #restarts = 0;
  #stopping = false;

  constructor(options: FrontOptions) {
    const { run } = options;
    this.#options = options;
    this.#port = options.port;
    this.#adminSocket = join(run, "haproxy-admin.sock");
    this.internalSocket = join(run, "front.sock");
    const socket = () => (this.#ready ? this.#adminSocket : undefined);
    this.hosts = routeMap(join(run, "hosts.map"), socket);
    this.groups = routeMap(join(run, "groups.map"), socket);
  }

  get port() {
    return this.#port;
  }

  pid() {
    return this.#child?.pid;
  }

  restarts() {
    return this.#restarts;
  }

  async start(): Promise<void> {
    const { host, prepare } = this.#options;
    await prepare?.(this.hosts);
    if (this.#port !== 0) return this.#launch([`${host}:${this.#port}`], []);
    // A socket that this process opened cannot be lost to another program before HAProxy has it.
    const server = createServer((socket) => socket.destroy()).listen(0, host);
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    const handle = (server as unknown as { _handle: { fd: number } })._handle;
    await this.#launch(["fd@3"], [handle.fd], () => server.close());
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    const requests = await watchRequests(this.#adminSocket);
    child.kill("SIGUSR1");
    void requests.idle().then((idle) => idle && child.kill("SIGTERM"));
    await exited;
    clearTimeout(timer);
  }

  async #launch(binds: readonly string[], inherit: readonly number[], started = () => {}) {
    const { run, haproxy, log } = this.#options;
    const file = join(run, "haproxy.cfg");
    await writeFile(file, renderFrontConfig(this.#config(binds)), { mode: 0o600 });
    await Promise.all([this.hosts.save(), this.groups.save()]);
    await Promise.all(
      [this.#adminSocket, this.internalSocket].map((at) => rm(at, { force: true })),
    );
    const command = dieWithParent(haproxy, ["-db", "-f", file]);
    const child = spawn(command.file, command.args, {
      stdio: ["ignore", "pipe", "pipe", ...inherit],
      env: {},
      detached: true, // Ctrl-C in a terminal is for `up` alone, which drains first
      cwd: "/",
    });
    started();
    this.#child = child;
    const tail = this.#readOutput(child);
    await this.#untilReady(child, tail);
    this.#ready = true;
    child.once("exit", (code, signal) => {
      this.#ready = false;
      if (this.#stopping) return;
      log.error("the front ended", { code: code ?? undefined, signal: signal ?? undefined });
      void this.#restart();
    });
  }

  async #restart(): Promise<void> {
    while (!this.#stopping) {
      this.#restarts += 1;
      try {
        return await this.#launch([`${this.#options.host}:${this.#port}`], []);
      } catch (error) {
        this.#options.log.error("the front did not start", {
          reason: IgniteError.from(error).message,
        });
        await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE_MS));
      }
    }
  }

  #config(binds: readonly string[]): FrontConfig {
    const { run, assignSocket, controlSocket, platformHosts, cells } = this.#options;
    const { connectionsMax = CONNECTIONS_MAX } = this.#options;
    return {
      binds,
      internalSocket: this.internalSocket,
      adminSocket: this.#adminSocket,
      assignSocket,
      controlSocket,
      hostsMap: join(run, "hosts.map"),
      groupsMap: join(run, "groups.map"),
      platformHosts,
      cells,
      threads: 1,
      connectionsMax,
    };
  }

  #readOutput(child: ChildProcess): string[] {
    const tail: string[] = [];
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) return tail;
    createInterface({ input: stdout }).on("line", (line) => {
      const failed = parseFailure(line);
      if (failed !== undefined) this.#options.onFailure(failed);
    });
    createInterface({ input: stderr }).on("line", (line) => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      // What it says while it stops is a farewell, proxy by proxy
      const isNews = !line.startsWith("[NOTICE]") && !this.#stopping;
      this.#options.log[isNews ? "warn" : "debug"](line, { process: "haproxy" });
    });
    return tail;
  }

  async #untilReady(child: ChildProcess, tail: readonly string[]): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    let ended = false;
    child.once("error", () => (ended = true));
    child.once("close", () => (ended = true));
    while (!ended && Date.now() < deadline) {
      if (await askHaproxy(this.#adminSocket, "show version").catch(() => undefined)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    child.kill("SIGKILL");
    throw this.#startFailure(tail.join("\n"));
  }

  #startFailure(output: string): IgniteError {
    const { host } = this.#options;
    const inUse = /already in use|cannot bind/i.test(output);
    return new IgniteError({
      code: inUse ? "failed_precondition" : "unavailable",
      reason: inUse ? "PORT_IN_USE" : "INTERNAL",
      message: inUse
        ? `Another program listens at ${host}:${this.#port}.`
        : "HAProxy did not start.",
      hint: inUse ? "Choose another port with --port." : "The log has its report.",
      internal: output,
    });
  }
}
