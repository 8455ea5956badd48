/** Between the messages of RegionService and the terms of compiling. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Diagnostic } from "../../compiler/diagnostics.ts";
import type { ManifestBuild } from "../../compiler/manifest/manifest.ts";
import { IgniteError } from "../../core/errors.ts";
import { isDigest } from "../../core/ids.ts";
import { compileTimeoutMs } from "../../core/limits.ts";
import { LogStream, Severity } from "../../proto/gen/ignite/v1/compile_pb.ts";
import { type BuildOptions, Placement } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type {
  CompileRequest,
  CompileResponseSchema,
} from "../../proto/gen/ignite/v1/region_service_pb.ts";
import type { CompileEvent, CompileJob } from "../compiles.ts";

type CompileResponseInit = MessageInitShape<typeof CompileResponseSchema>;
const NOTES_MAX = 64;

/** The job a request asks for. Fails with INVALID_ARGUMENT or NOT_IMPLEMENTED. */
export function jobOf(request: CompileRequest): CompileJob {
  const source = request.code?.source?.digest ?? "";
  if (!isDigest(source)) throw invalid("code.source.digest is not a SHA-256");
  if (!/^org_[0-9a-z]{26}$/.test(request.organizationId)) throw invalid("organization_id is no id");
  if (!/^ver_[0-9a-z]{26}$/.test(request.versionId)) throw invalid("version_id is no id");
  const language = request.code?.runtime?.language;
  if (language !== undefined && language.case !== undefined && language.case !== "deno") {
    throw new IgniteError({
      code: "unimplemented",
      reason: "NOT_IMPLEMENTED",
      message: `This release does not compile ${language.case} apps.`,
    });
  }
  const deno = language?.case === "deno" ? language.value : undefined;
  if (deno?.placement === Placement.REGION) {
    throw new IgniteError({
      code: "unimplemented",
      reason: "NOT_IMPLEMENTED",
      message: "This release has no containers yet, so the placement REGION cannot be served.",
    });
  }
  return {
    versionId: request.versionId,
    organizationId: request.organizationId,
    source,
    override: { main: deno?.main, check: deno?.typeCheck, build: buildOf(request.build) },
    timeoutMs: Math.min(request.timeoutMs || compileTimeoutMs, compileTimeoutMs),
  };
}

/** The message of an event; `sequence` numbers log pieces. */
export function responseOf(event: CompileEvent, sequence: () => bigint): CompileResponseInit {
  switch (event.kind) {
    case "log":
      return {
        event: {
          case: "log",
          value: { stream: STREAMS[event.stream], text: event.text, sequence: sequence() },
        },
      };
    case "diagnostic":
      return { event: { case: "diagnostic", value: diagnosticOf(event.diagnostic) } };
    case "progress": {
      const { phase, done, total } = event;
      return { event: { case: "progress", value: { phase, done, total } } };
    }
    case "done": {
      const { digest, artifact, assets, modules } = event.result;
      const value = {
        artifactDigest: digest as string,
        sizeBytes: BigInt(artifact.length),
        assetCount: assets,
        moduleCount: modules,
        durationMs: event.durationMs,
      };
      return { event: { case: "result", value } };
    }
    case "rejected":
      return failureOf(event.result.reason, event.result.message);
    case "error": {
      const { reason, message, hint } = IgniteError.from(event.error);
      return failureOf(reason, hint === undefined ? message : `${message} ${hint}`);
    }
  }
}

const STREAMS = {
  stdout: LogStream.STDOUT,
  stderr: LogStream.STDERR,
  system: LogStream.SYSTEM,
} as const;

function failureOf(reason: string, message: string): CompileResponseInit {
  return { event: { case: "failure", value: { reason, message } } };
}

function diagnosticOf(one: Diagnostic) {
  const { message, file, line, column, length, lineText, fix } = one;
  const severity = one.severity === "error" ? Severity.ERROR : Severity.WARNING;
  const notes = [...one.notes, ...(fix === undefined ? [] : [`fix: ${fix}`])].slice(0, NOTES_MAX);
  return { severity, code: one.id, message, file, line, column, length, lineText, notes };
}

/** Only what is said: an empty list leaves the manifest's word. */
function buildOf(build: BuildOptions | undefined): Partial<ManifestBuild> {
  const lists = { include: build?.include, exclude: build?.exclude, args: build?.args };
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => (list ?? []).length > 0));
}

function invalid(what: string): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "INVALID_ARGUMENT",
    message: `The compile request is not valid: ${what}.`,
  });
}
