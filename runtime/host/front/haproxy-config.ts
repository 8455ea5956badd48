/**
 * HAProxy's configuration. Three steps decide where a request goes: its host (or `/@org/app` on a
 * platform host) names a group of apps, the group names a cell, the cell is a server. The first
 * two are maps that change at run time. Whatever is not in the maps goes to the assigner, which
 * knows the grammar and the documents. Cells have weight 0, so balancing never picks one: a name
 * that does not exist, a cell that does not accept, and a request that a cell took with it when it
 * ended all go to the assigner, which sees behind the request id where the request was sent first.
 * (Without this HAProxy would close a caller's kept connection without any answer.)
 */
import { hostGrammar } from "../../../core/names.ts";
import { asyncRefusedMessage, serviceWorkerRefusedMessage } from "../../../core/refusals.ts";

/** Paths and bounds of one HAProxy. */
export interface FrontConfig {
  /** Public addresses in HAProxy's own form: `127.0.0.1:8787`, `fd@3`. */
  binds: readonly string[];
  /** The same frontend for callers on this machine, which may set `ignite-hops`. */
  internalSocket: string;
  adminSocket: string;
  assignSocket: string;
  controlSocket: string;
  hostsMap: string;
  groupsMap: string;
  /** Host names of the platform itself, without port. */
  platformHosts: readonly string[];
  cells: readonly { id: string; socket: string }[];
  threads: number;
  /** Of the public frontend; one address may have a quarter of them. */
  connectionsMax: number;
}

const INTERNAL_CONNECTIONS_MAX = 1_024; // Guests and the control plane, whatever callers do
/** 26 characters, time first: sortable, and of the alphabet that ids have (core/ids.ts). */
const REQUEST_ID = [
  "%[date(0,ms),hex,lower,bytes(4,12)]",
  "%[rand,hex,lower,bytes(8,8)]",
  "%[rand,hex,lower,bytes(10,6)]",
].join("");
/** Fields of a failed request's log line; front/failure-log.ts reads them. */
const FAILURE_FORMAT =
  "FAILED %[unique-id] %b %s %ts %ST %HM %[var(txn.key)] %HP %[date(0,ms)] %Ta";

/** The configuration file's text. */
export function renderFrontConfig(config: FrontConfig): string {
  return [
    ...globals(config),
    ...defaults(),
    ...frontend("public", config.binds, config, [
      `maxconn ${config.connectionsMax}`,
      "stick-table type ipv6 size 100k expire 5m store conn_cur",
      "tcp-request connection track-sc0 src",
      `tcp-request connection reject if { sc0_conn_cur gt ${Math.ceil(config.connectionsMax / 4)} }`,
      "http-request del-header ignite-hops",
    ]),
    ...frontend("internal", [`unix@${config.internalSocket} mode 600`], config, []),
    ...controlBackend(config),
    "backend assign",
    `  server assign unix@${config.assignSocket}`,
    ...cellsBackend(config),
    "",
  ].join("\n");
}

function globals(config: FrontConfig): string[] {
  return [
    "global",
    `  stats socket ${config.adminSocket} mode 600 level admin`,
    "  stats timeout 1h",
    "  log stdout len 4096 format raw local0 info",
    `  nbthread ${config.threads}`,
    `  maxconn ${config.connectionsMax + INTERNAL_CONNECTIONS_MAX}`,
    "  tune.bufsize 16384", // Bounds headers; larger ones leave HAProxy's own cache
    "  tune.http.maxhdr 128",
  ];
}

function defaults(): string[] {
  return [
    "defaults",
    "  mode http",
    "  log global",
    "  option dontlog-normal",
    "  timeout connect 2s",
    "  timeout client 60s",
    "  timeout server 930s", // Above the longest time an app may have
    "  timeout http-request 10s",
    "  timeout http-keep-alive 60s",
    "  timeout tunnel 1h",
    "  retries 2",
    "  option redispatch 1",
    "  option abortonclose", // A caller that leaves before the answer aborts the app's signal
    "  retry-on conn-failure empty-response",
    "  http-reuse always",
    `  unique-id-format ${REQUEST_ID}`,
    `  log-format "${FAILURE_FORMAT}"`,
    ...problemPages(),
  ];
}

function frontend(
  name: string,
  binds: readonly string[],
  config: FrontConfig,
  rules: readonly string[],
): string[] {
  const platform = config.platformHosts.join(" ");
  return [
    `frontend ${name}`,
    ...binds.map((bind) => `  bind ${bind}`),
    ...rules.map((rule) => `  ${rule}`),
    `  ${refuse(400, "HOST_INVALID", "The Host header is not a hostname.")} if !{ req.fhdr(host) -m reg -i ${hostGrammar} } or { req.fhdr_cnt(host) gt 1 }`,
    `  ${refuse(405, "METHOD_NOT_ALLOWED", "TRACE is not served.")} if METH_TRACE`,
    "  http-request del-header ^ignite-(?!sticky$|timing$|hops$) -m reg",
    // The front says that it waits for the body: a 100 on its way back would be in the answer's
    "  http-request wait-for-body time 10s at-least 1 if { req.hdr(expect) -m found }",
    "  http-request del-header expect",
    "  http-request del-header forwarded",
    "  http-request del-header x-forwarded-host",
    "  http-request del-header x-forwarded-prefix",
    "  http-request set-header x-forwarded-for %[src]",
    "  http-request set-header x-forwarded-proto http if !{ ssl_fc }",
    "  http-request set-header x-forwarded-proto https if { ssl_fc }",
    "  http-request set-var(txn.key) req.fhdr(host),host_only,lower",
    `  acl platform var(txn.key) -m str ${platform}`,
    "  acl app_path path -m beg /@",
    "  acl async req.hdr(prefer) -m sub -i respond-async",
    // By path all apps are one origin to a browser: none may answer for the others
    `  ${refuse(403, "REQUEST_INVALID", serviceWorkerRefusedMessage)} if platform app_path { req.hdr(service-worker) -m found }`,
    `  ${refuse(501, "NOT_IMPLEMENTED", asyncRefusedMessage)} if async !platform or async app_path`,
    "  http-request set-var(txn.key) path,field(2,/,2) if platform app_path",
    `  http-request set-var(txn.group) var(txn.key),map_str(${config.hostsMap})`,
    `  http-request set-var(txn.cell) var(txn.group),map_str(${config.groupsMap})`,
    // With the cell's name behind it, which tells the assigner where a lost request was; a header
    // of its own would cost the cell 5 µs a request
    "  http-request set-header ignite-request-id %[unique-id].%[var(txn.cell)] if { var(txn.cell) -m found }",
    "  http-request set-header ignite-request-id %[unique-id] unless { var(txn.cell) -m found }",
    "  http-response del-header ignite-lost",
    "  http-response del-header service-worker-allowed",
    "  http-response set-header ignite-request-id %[unique-id]",
    "  http-after-response set-status 503 if { res.hdr(ignite-lost) -m found }",
    "  http-after-response del-header ignite-lost",
    "  use_backend control if platform !app_path",
    "  use_backend cells if { var(txn.cell) -m found }",
    "  default_backend assign",
  ];
}

function controlBackend(config: FrontConfig): string[] {
  const reason = "CONTROL_UNAVAILABLE";
  const detail = "The control plane does not answer. Published apps go on; try again later.";
  return [
    "backend control",
    // A refusal may come before the body was read: the caller's connection would end with it
    "  option http-buffer-request",
    `  ${page(502, 503, reason, detail)}`,
    `  ${page(503, 503, reason, detail)}`,
    `  server control unix@${config.controlSocket}`,
  ];
}

function cellsBackend(config: FrontConfig): string[] {
  return [
    "backend cells",
    `  ${page(502, 503, "CELL_LOST", "The process that ran the request ended.")}`,
    "  use-server %[var(txn.cell)] if TRUE",
    `  server assign unix@${config.assignSocket} weight 1`,
    ...config.cells.map(({ id, socket }) => `  server ${id} unix@${socket} weight 0`),
  ];
}

function problemPages(): string[] {
  const pages = [
    page(
      400,
      400,
      "REQUEST_INVALID",
      "The request is not valid HTTP, or its headers are too long.",
    ),
    page(408, 408, "REQUEST_INVALID", "The request did not arrive in time."),
    page(413, 413, "BODY_TOO_LARGE", "The body is too large."),
    page(500, 500, "INTERNAL", "An internal error happened."),
    page(502, 502, "CELL_LOST", "The process that ran the request ended."),
    page(503, 503, "OVERLOADED", "No process could take the request. Try again later."),
    page(504, 504, "GUEST_TIMED_OUT", "The app did not answer in time."),
  ];
  return pages.map((line) => `  ${line}`);
}

/** Answers HAProxy's own error `status` as a problem document that says `shown`. */
function page(status: number, shown: number, reason: string, detail: string): string {
  const headers = [
    ...(status === shown ? [] : ["hdr ignite-lost 1"]),
    "hdr ignite-request-id %[unique-id]",
    ...(shown === 503 ? ["hdr retry-after 1"] : []),
    "hdr cache-control no-store",
  ];
  const body = `lf-string ${problem(shown, reason, detail)}`;
  return `http-error status ${status} content-type application/problem+json ${body} ${headers.join(" ")}`;
}

function refuse(status: number, reason: string, detail: string): string {
  const body = `lf-string ${problem(status, reason, detail)} hdr ignite-request-id %[unique-id]`;
  return `http-request return status ${status} content-type application/problem+json ${body}`;
}

function problem(status: number, reason: string, detail: string): string {
  const body = {
    type: `https://ignite.dev/errors/${reason.toLowerCase().replaceAll("_", "-")}`,
    title: titleOf(reason),
    status,
    detail,
    instance: "%[unique-id]",
    reason,
  };
  return `"${JSON.stringify(body).replaceAll('"', '\\"')}"`;
}

function titleOf(reason: string): string {
  const text = reason.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
