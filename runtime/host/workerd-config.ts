/**
 * workerd's configuration as typed data, and its text form (Cap'n Proto). Only what Ignite uses
 * is here; there is deliberately no way to give a Worker a network, a disk or `unsafeEval`.
 */

/** One workerd process. */
export interface WorkerdConfig {
  services: readonly WorkerdService[];
  sockets: readonly WorkerdSocket[];
  v8Flags?: readonly string[];
}

/** Something that requests can be sent to. */
export type WorkerdService =
  | { name: string; worker: WorkerdWorker }
  /** An HTTP server behind a unix socket. */
  | { name: string; unixSocket: string };

/** A statically configured Worker. Its `fetch()` without a binding reaches nothing. */
export interface WorkerdWorker {
  /** The first one is the main module. */
  modules: readonly WorkerdModule[];
  compatibilityDate: string;
  compatibilityFlags?: readonly string[];
  bindings: readonly WorkerdBinding[];
}

/** A module's text. */
export interface WorkerdModule {
  name: string;
  type: "js" | "text" | "json";
  text: string;
}

/** What a Worker finds in its `env`. */
export type WorkerdBinding =
  | { name: string; text: string }
  | { name: string; json: unknown }
  | { name: string; service: ServiceTarget }
  | { name: string; workerLoader: true };

/** A service, or one of a Worker's named entrypoints. */
export interface ServiceTarget {
  name: string;
  entrypoint?: string;
}

/** Where requests come in: a unix socket, or a descriptor given at the start under this name. */
export interface WorkerdSocket {
  name: string;
  /** Absolute path; undefined when the descriptor is inherited (`--socket-fd`). */
  unixSocket: string | undefined;
  /** The header that tells the scheme the caller used, set by the proxy in front. */
  forwardedProtoHeader?: string;
  service: ServiceTarget;
}

/** workerd adds a service of this name that reaches everything, unless there is one already. */
const NOWHERE = "internet";
const MODULE_FIELD = { js: "esModule", text: "text", json: "json" } as const;

/** The configuration as the text that `workerd serve` reads; its constant is named `config`. */
export function renderWorkerdConfig(config: WorkerdConfig): string {
  const services = [...config.services.map(renderService), `(name = "${NOWHERE}", ${nowhere()})`];
  return [
    'using Workerd = import "/workerd/workerd.capnp";',
    "const config :Workerd.Config = (",
    `  services = ${list(services)},`,
    `  sockets = ${list(config.sockets.map(renderSocket))},`,
    `  v8Flags = ${list((config.v8Flags ?? []).map(quote))},`,
    '  logging = (stdoutPrefix = "", stderrPrefix = "")',
    ");",
    "",
  ].join("\n");
}

/** A network that allows no peer, for the outbound of Workers that must have none. */
function nowhere(): string {
  return "network = (allow = [])";
}

function renderService(service: WorkerdService): string {
  if ("unixSocket" in service) {
    const address = quote(`unix:${service.unixSocket}`);
    return `(name = ${quote(service.name)}, external = (address = ${address}, http = ()))`;
  }
  const { modules, compatibilityDate, compatibilityFlags = [], bindings } = service.worker;
  const fields = [
    `modules = ${list(modules.map(renderModule))}`,
    `compatibilityDate = ${quote(compatibilityDate)}`,
    `compatibilityFlags = ${list(compatibilityFlags.map(quote))}`,
    `bindings = ${list(bindings.map(renderBinding))}`,
    `globalOutbound = ${quote(NOWHERE)}`,
  ];
  return `(name = ${quote(service.name)}, worker = (${fields.join(", ")}))`;
}

function renderModule(module: WorkerdModule): string {
  return `(name = ${quote(module.name)}, ${MODULE_FIELD[module.type]} = ${quote(module.text)})`;
}

function renderBinding(binding: WorkerdBinding): string {
  return `(name = ${quote(binding.name)}, ${bindingValue(binding)})`;
}

function bindingValue(binding: WorkerdBinding): string {
  if ("text" in binding) return `text = ${quote(binding.text)}`;
  if ("json" in binding) return `json = ${quote(JSON.stringify(binding.json))}`;
  if ("service" in binding) return `service = ${renderTarget(binding.service)}`;
  return "workerLoader = ()";
}

function renderSocket(socket: WorkerdSocket): string {
  const address =
    socket.unixSocket === undefined ? "" : `address = ${quote(`unix:${socket.unixSocket}`)}, `;
  const service = renderTarget(socket.service);
  const { forwardedProtoHeader: header } = socket;
  const http = header === undefined ? "()" : `(forwardedProtoHeader = ${quote(header)})`;
  return `(name = ${quote(socket.name)}, ${address}http = ${http}, service = ${service})`;
}

function renderTarget(target: ServiceTarget): string {
  const entrypoint =
    target.entrypoint === undefined ? "" : `, entrypoint = ${quote(target.entrypoint)}`;
  return `(name = ${quote(target.name)}${entrypoint})`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "[]" : `[\n    ${items.join(",\n    ")}\n  ]`;
}

/** A Cap'n Proto text literal: bytes outside printable ASCII as `\xNN` of their UTF-8 form. */
function quote(text: string): string {
  let quoted = "";
  for (const byte of Buffer.from(text, "utf8")) quoted += ESCAPED[byte];
  return `"${quoted}"`;
}

const ESCAPED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  if (char === '"' || char === "\\") return `\\${char}`;
  if (byte >= 0x20 && byte < 0x7f) return char;
  if (char === "\n") return "\\n";
  return `\\x${byte.toString(16).padStart(2, "0")}`;
});
