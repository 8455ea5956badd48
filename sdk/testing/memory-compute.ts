import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { unpackTar } from "modern-tar";
import { DiagnosticSchema, Severity } from "../../proto/gen/ignite/v1/compile_pb.ts";
import type { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { VersionStatus } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { type Version, VersionSchema } from "../../proto/gen/ignite/v1/version_pb.ts";
import { type MemoryApp, type MemoryState, startOfTime } from "./memory-state.ts";

type Routes = Partial<ServiceImpl<typeof ComputeService>>;

/** Source that has this word does not compile; source with the second does not load. */
const BROKEN = "BROKEN";
const THROWS = "THROWS";

/** ComputeService over the state; `authorize` throws for a wrong key. */
export function computeRoutes(state: MemoryState, authorize: (header: Headers) => void): Routes {
  return {
    createApp({ organization, name }, { requestHeader }) {
      authorize(requestHeader);
      const fullName = `${organization || "acme"}/${name}`;
      if (state.apps.has(fullName) || state.deleted.has(fullName)) {
        throw new ConnectError(`There is an app ${fullName}.`, Code.AlreadyExists);
      }
      state.add(fullName);
      return { app: state.view(fullName) };
    },
    getApp({ app }, { requestHeader }) {
      authorize(requestHeader);
      return { app: state.view(state.get(app).name) };
    },
    listApps(_request, { requestHeader }) {
      authorize(requestHeader);
      return { apps: [...state.apps.keys()].map((name) => state.view(name)) };
    },
    deleteApp({ app }) {
      const { name, app: found } = state.get(app);
      const view = state.view(name);
      state.apps.delete(name);
      state.deleted.set(name, found);
      return { app: { ...view, deleteTime: startOfTime } };
    },
    updateApp({ app }) {
      const wanted = String(app?.value.value);
      const restored = state.deleted.get(wanted);
      if (restored !== undefined) state.apps.set(wanted, restored);
      state.deleted.delete(wanted);
      return { app: state.view(state.get(app).name) };
    },
    getDraft: ({ app }) => ({ draft: state.get(app).app.draft }),
    updateDraft({ app, code, config }) {
      const { draft } = state.get(app).app;
      if (code !== undefined) draft.code = code;
      if (config !== undefined) draft.config = config;
      draft.sourceDigest = sourceOf(draft.code?.kind.value);
      return { draft };
    },
    async *compileDraft({ app, message }) {
      const { name, app: found } = state.get(app);
      const version = await compile(state, name, found, message);
      found.versions.push(version);
      for (const value of version.diagnostics) yield { event: { case: "diagnostic", value } };
      yield { event: { case: "progress", value: { phase: "bundle" } } };
      yield { event: { case: "version", value: version } };
    },
    async testDraft({ app, version: number }) {
      const { app: found } = state.get(app);
      const version = newest(found, number);
      const failure = (await sourceText(state, found)).includes(THROWS)
        ? { reason: "LOAD_FAILED", message: "boom", stack: "Error: boom\n    at main.ts:1:7" }
        : undefined;
      return { passed: failure === undefined, version, loadMs: 4, ...(failure && { failure }) };
    },
    publishVersion: ({ app, version }) => give(state, app, version),
    rollback({ app, version }) {
      const { app: found } = state.get(app);
      const before = version || (found.traffic[0]?.version ?? 0) - 1;
      if (before > 0) return give(state, app, before);
      throw new ConnectError("There is no version before.", Code.FailedPrecondition);
    },
    setTraffic({ app, traffic }) {
      const { name, app: found } = state.get(app);
      found.traffic = traffic;
      return { app: state.view(name) };
    },
    listVersions({ app, pageSize, pageToken }) {
      const all = state.get(app).app.versions.toReversed();
      const start = Number(pageToken || 0);
      const end = start + Math.min(pageSize || 50, 2); // Small pages, so that tests see several
      return {
        versions: all.slice(start, end),
        nextPageToken: end < all.length ? String(end) : "",
      };
    },
    async *tailLogs({ app, afterSequence = 0n }) {
      for (const value of state.get(app).app.logs) {
        if (value.sequence <= afterSequence) continue;
        yield { event: { case: "entry", value } };
        state.logBreaks -= 1;
        if (state.logBreaks >= 0) throw new ConnectError("Gone.", Code.Unavailable);
      }
    },
  };
}

async function compile(
  state: MemoryState,
  name: string,
  app: MemoryApp,
  message: string,
): Promise<Version> {
  const text = await sourceText(state, app);
  const number = app.versions.length + 1;
  const base = { id: "ver_1", app: name, number, message, createTime: startOfTime };
  const column = text.split("\n")[0]?.indexOf(BROKEN) ?? -1;
  if (column < 0) {
    const previewUrl = `${state.url}/preview/${number}`;
    const artifact = { artifactDigest: "a".repeat(64), sizeBytes: 2048n };
    return create(VersionSchema, { ...base, ...artifact, status: VersionStatus.READY, previewUrl });
  }
  const diagnostic = create(DiagnosticSchema, {
    severity: Severity.ERROR,
    code: "SYNTAX",
    message: "This does not parse.",
    file: "main.ts",
    line: 1,
    column: column + 1,
    length: BROKEN.length,
    notes: ["write it otherwise"],
  });
  const failure = { reason: "COMPILE_FAILED", message: "main.ts has an error." };
  const status = VersionStatus.FAILED;
  return create(VersionSchema, { ...base, status, failure, diagnostics: [diagnostic] });
}

function give(state: MemoryState, ref: Parameters<MemoryState["get"]>[0], wanted: number) {
  const { name, app } = state.get(ref);
  const version = newest(app, wanted);
  for (const one of app.versions) {
    if (one.status === VersionStatus.ACTIVE) one.status = VersionStatus.SUPERSEDED;
    one.weightPercent = one === version ? 100 : 0;
  }
  version.status = VersionStatus.ACTIVE;
  app.traffic = [{ version: version.number, weightPercent: 100 }];
  return { version, app: state.view(name) };
}

function newest(app: MemoryApp, wanted: number): Version {
  const found = wanted === 0 ? app.versions.at(-1) : app.versions[wanted - 1];
  if (found !== undefined) return found;
  throw new ConnectError(`There is no version ${wanted}.`, Code.NotFound);
}

function sourceOf(code: unknown): string {
  return (code as { source?: { digest: string } } | undefined)?.source?.digest ?? "";
}

async function sourceText(state: MemoryState, app: MemoryApp): Promise<string> {
  const blob = state.blobs.get(app.draft.sourceDigest);
  if (blob === undefined) throw new ConnectError("The source is missing.", Code.FailedPrecondition);
  const unzipped = new Response(blob).body?.pipeThrough(new DecompressionStream("gzip"));
  const entries = await unpackTar(await new Response(unzipped ?? null).arrayBuffer());
  const main = entries.find(({ header }) => header.name === "main.ts");
  return new TextDecoder().decode(main?.data);
}
