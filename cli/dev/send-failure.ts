/** How a failed request is answered: a page for a browser, else the platform's own document. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { stackBelow } from "../stack.ts";
import type { DevFailure } from "./dev-failure.ts";
import { errorPage } from "./dev-page.ts";

/** Answers; `headers` are those of the platform's answer, if it gave one. */
export function sendFailure(
  request: IncomingMessage,
  response: ServerResponse,
  failure: DevFailure,
  headers: IncomingHttpHeaders = {},
): void {
  const { problem } = failure;
  const wantsPage = /\btext\/html\b/.test(request.headers.accept ?? "");
  const { "content-length": _, ...kept } = headers;
  const type = wantsPage ? "text/html; charset=utf-8" : "application/problem+json";
  response.writeHead(problem.status, {
    ...kept,
    "content-type": type,
    "cache-control": "no-store",
    ...(problem.status === 503 ? { "retry-after": "1" } : {}),
  });
  response.end(wantsPage ? pageOf(failure) : JSON.stringify(problem));
}

function pageOf({ method, path, problem, log }: DevFailure): string {
  const { status, reason, detail } = problem;
  const title = `${status} ${reason}, ${method} ${path}`;
  if (log === undefined) return errorPage(title, detail);
  const stack = log.stack === undefined ? "" : stackBelow(log.message, log.stack);
  return errorPage(title, [log.message, stack].filter((part) => part !== "").join("\n"));
}
