/**
 * From files to traffic, step by step: archive, upload, draft, compile, test, publish. The command
 * line and `Ignite.deploy` are both made of these steps.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Diagnostic } from "../proto/gen/ignite/v1/compile_pb.ts";
import type {
  CompileDraftResponse,
  TestDraftResponse,
} from "../proto/gen/ignite/v1/compute_service_pb.ts";
import type {
  AppConfigSchema,
  CodeSchema,
  RuntimeSchema,
} from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import { VersionStatus } from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { Version } from "../proto/gen/ignite/v1/version_pb.ts";
import { type Blob256, packSource, type SourceFiles } from "./archive.ts";
import { uploadBlob } from "./blobs.ts";
import type { ComputeClient } from "./clients/compute.ts";
import { type ApiCode, IgniteApiError } from "./errors.ts";
import { appRef, splitName } from "./names.ts";
import type { Connection } from "./connection.ts";

/** Languages that the platform compiles. */
export type RuntimeName = "deno" | "rust" | "python" | "go" | "component";

/** Configuration of a version: variables, secrets, limits, scaling, access, schema, build. */
export type ConfigInit = Omit<MessageInitShape<typeof AppConfigSchema>, "$typeName">;

/** What is deployed, and how. */
export interface DeployOptions {
  runtime: RuntimeName | MessageInitShape<typeof RuntimeSchema>;
  /** Path of the start module; left out, the platform looks for the usual names. */
  main?: string;
  files: SourceFiles;
  config?: ConfigInit;
  /** What changed, in its author's words. */
  message?: string;
  /** False stops at a READY version without traffic. Default true. */
  publish?: boolean;
  onProgress?: (event: DeployEvent) => void;
}

/** What happens while a deploy runs. */
export type DeployEvent =
  | { step: "pack"; digest: string; bytes: number; files: number }
  | { step: "upload"; sent: boolean }
  | { step: "draft"; app: AppOrigin }
  | { step: "compile"; event: CompileDraftResponse["event"] }
  | { step: "test"; result: TestDraftResponse }
  | { step: "publish"; version: number };

/** Whether a deploy met its app, made it, or brought it back after it was deleted. */
export type AppOrigin = "found" | "created" | "restored";

/** A finished deploy. */
export interface Deployed {
  /** Full name, `org/app`. */
  app: string;
  version: number;
  /** Main address; the preview's when nothing was published. */
  url: string;
  urls: readonly string[];
  previewUrl: string;
  published: boolean;
  artifactDigest: string;
  warnings: readonly Diagnostic[];
}

/** What the steps work with. */
export interface DeployPorts {
  connection: Connection;
  compute: ComputeClient;
}

/**
 * Does all steps. Fails with an IgniteApiError, whose `diagnostics` tell what to mend, and with a
 * TypeError before anything is sent when there are no files.
 */
export async function deploy(
  ports: DeployPorts,
  app: string,
  options: DeployOptions,
): Promise<Deployed> {
  const onProgress = options.onProgress ?? (() => {});
  const files = Object.keys(options.files ?? {}).length;
  if (files === 0) throw new TypeError("There is nothing to deploy: `files` is empty.");
  const source = await packSource(options.files);
  onProgress({ step: "pack", digest: source.digest, bytes: source.bytes.length, files });
  const code = compileCode(options, source);
  await pushDraft(ports, app, { code, source, config: options.config ?? {}, onProgress });
  return finishDeploy(ports, app, options);
}

/** What {@link finishDeploy} takes. */
export interface FinishOptions extends CompileOptions {
  /** False stops at a READY version without traffic. Default true. */
  publish?: boolean;
}

/** From the draft on: compiles, tests and publishes. Fails as {@link deploy} does. */
export async function finishDeploy(
  ports: DeployPorts,
  app: string,
  options: FinishOptions,
): Promise<Deployed> {
  const version = await compileDraft(ports, app, options);
  const { number, previewUrl, artifactDigest, diagnostics: warnings } = version;
  const done = { app, version: number, previewUrl, artifactDigest, warnings };
  await testDraft(ports, app, number, options.onProgress);
  if (options.publish === false) {
    return { ...done, url: previewUrl, urls: [previewUrl], published: false };
  }
  // Once more with the message: a version that was compiled before has that of then
  const { message = "" } = options;
  const publication = { app: appRef(app), version: number, message };
  const published = await ports.compute.publishVersion(publication);
  options.onProgress?.({ step: "publish", version: number });
  const urls = published.app?.urls ?? [];
  return { ...done, url: urls[0] ?? previewUrl, urls, published: true };
}

/** What {@link pushDraft} needs. */
export interface PushOptions {
  code: MessageInitShape<typeof CodeSchema>;
  config: ConfigInit;
  /** The source that `code` names. */
  source: Blob256;
  onProgress?: (event: DeployEvent) => void;
}

/** Uploads the source, sees to it that the app exists, and writes the draft. */
export async function pushDraft(
  ports: DeployPorts,
  app: string,
  options: PushOptions,
): Promise<void> {
  const { compute, connection } = ports;
  const report = options.onProgress ?? (() => {});
  const upload = uploadBlob(connection, options.source).then((sent) =>
    report({ step: "upload", sent }),
  );
  const [origin] = await Promise.all([ensureApp(compute, app), upload]);
  await compute.updateDraft({
    app: appRef(app),
    code: options.code,
    config: options.config,
  });
  report({ step: "draft", app: origin });
}

/** Sees to it that the app exists: creates it, or brings it back when it was deleted. */
export async function ensureApp(compute: ComputeClient, app: string): Promise<AppOrigin> {
  const ref = appRef(app);
  const found = () => compute.getApp({ app: ref }).then(() => true, unless("not_found"));
  if (await found()) return "found";
  const { org, name } = splitName(app);
  const creation = compute.createApp({ organization: org, name });
  if (await creation.then(() => true, unless("already_exists"))) return "created";
  if (await found()) return "found"; // Somebody else was faster
  await compute.updateApp({ app: ref });
  return "restored";
}

/** Turns one kind of failure into false; throws the others. */
function unless(code: ApiCode): (error: unknown) => false {
  return (error) => {
    if (IgniteApiError.from(error).code === code) return false;
    throw error;
  };
}

function compileCode(
  { runtime, main }: DeployOptions,
  { digest, bytes }: Blob256,
): MessageInitShape<typeof CodeSchema> {
  const source = { digest, sizeBytes: BigInt(bytes.length) };
  return { kind: { case: "compile", value: { runtime: runtimeOf(runtime, main), source } } };
}

function runtimeOf(
  runtime: DeployOptions["runtime"],
  main = "",
): MessageInitShape<typeof RuntimeSchema> {
  if (typeof runtime !== "string") return runtime;
  if (runtime === "rust") return { language: { case: "rust", value: {} } };
  return { language: { case: runtime, value: { main } } };
}

/** Options of {@link compileDraft}. */
export interface CompileOptions {
  message?: string | undefined;
  onProgress?: (event: DeployEvent) => void;
}

/**
 * Compiles the draft and answers the READY version. Fails with the reason of the compile, such as
 * COMPILE_FAILED, and its diagnostics.
 */
export async function compileDraft(
  ports: DeployPorts,
  app: string,
  options: CompileOptions,
): Promise<Version> {
  let version: Version | undefined;
  const diagnostics: Diagnostic[] = [];
  const call = { app: appRef(app), message: options.message ?? "" };
  try {
    for await (const { event } of ports.compute.compileDraft(call)) {
      options.onProgress?.({ step: "compile", event });
      if (event.case === "version") version = event.value;
      if (event.case === "diagnostic") diagnostics.push(event.value);
    }
  } catch (error) {
    throw version !== undefined && isGone(error) ? cutOff(error) : error;
  }
  if (version === undefined) throw cutOff();
  if (version.status === VersionStatus.FAILED) throw failed(version, diagnostics);
  return version;
}

/** Loads a version away from traffic. Fails with LOAD_FAILED and the app's own stack. */
export async function testDraft(
  ports: DeployPorts,
  app: string,
  version: number,
  report: (event: DeployEvent) => void = () => {},
): Promise<TestDraftResponse> {
  const result = await ports.compute.testDraft({ app: appRef(app), version });
  report({ step: "test", result });
  if (result.passed) return result;
  throw new IgniteApiError({
    code: "failed_precondition",
    reason: result.failure?.reason ?? "LOAD_FAILED",
    message: result.failure?.message || `Version ${version} does not load.`,
    stackOfApp: result.failure?.stack || undefined,
    hint: "Mend the app and deploy it again; the version that has traffic is untouched.",
  });
}

function failed(version: Version, streamed: readonly Diagnostic[]): IgniteApiError {
  const reason = version.failure?.reason ?? "COMPILE_FAILED";
  return new IgniteApiError({
    code: "failed_precondition",
    reason,
    message: version.failure?.message || `Version ${version.number} did not compile.`,
    diagnostics: version.diagnostics.length > 0 ? version.diagnostics : streamed,
    stackOfApp: version.failure?.stack || undefined,
  });
}

function isGone(error: unknown): boolean {
  return IgniteApiError.from(error).reason === "CONTROL_UNAVAILABLE";
}

function cutOff(cause?: unknown): IgniteApiError {
  return new IgniteApiError({
    code: "unavailable",
    reason: "CONTROL_UNAVAILABLE",
    message: "The connection ended before the compile did.",
    hint: "Deploy again. What has traffic is untouched.",
    cause,
  });
}
