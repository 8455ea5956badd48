import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type App, AppSchema } from "../../proto/gen/ignite/v1/app_pb.ts";
import { type Draft, DraftSchema } from "../../proto/gen/ignite/v1/draft_pb.ts";
import type { AppRef, ExecutionStatus } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { LogEntry } from "../../proto/gen/ignite/v1/log_pb.ts";
import type { Version } from "../../proto/gen/ignite/v1/version_pb.ts";

/** Every time that the platform in memory tells. */
export const startOfTime = timestampFromMs(Date.UTC(2026, 7, 1, 12));

/** An app with all that hangs on it. */
export interface MemoryApp {
  draft: Draft;
  versions: Version[];
  traffic: { version: number; weightPercent: number }[];
  logs: LogEntry[];
}

/** What the platform in memory knows. */
export class MemoryState {
  /** Address that the platform tells in URLs. */
  url = "http://localhost:8787";
  readonly blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly apps = new Map<string, MemoryApp>();
  /** Apps that can come back. */
  readonly deleted = new Map<string, MemoryApp>();
  /** How many times a log breaks off after a line. */
  logBreaks = 0;
  readonly executions = new Map<string, ExecutionStatus>();
  readonly secrets = new Map<string, string[]>();
  /** Methods and paths of calls that tests look at. */
  readonly calls: string[] = [];

  /** Adds an app without code. */
  add(name: string): MemoryApp {
    const app = { draft: create(DraftSchema, { app: name }), versions: [], traffic: [], logs: [] };
    this.apps.set(name, app);
    return app;
  }

  /** The app that is meant. Fails with `not_found`. */
  get(ref: AppRef | undefined): { name: string; app: MemoryApp } {
    const name = String(ref?.value.value);
    const app = this.apps.get(name);
    if (app === undefined) throw new ConnectError(`There is no app ${name}.`, Code.NotFound);
    return { name, app };
  }

  /** The app as the API tells it. */
  view(name: string): App {
    const { versions = [], traffic = [] } = this.apps.get(name) ?? {};
    const [organization = "", short = ""] = name.split("/");
    return create(AppSchema, {
      id: "app_00000000000000000000000001",
      organization,
      name: short,
      fullName: name,
      traffic,
      activeVersion: traffic[0]?.version ?? 0,
      latestVersion: versions.length,
      urls: [`${this.url}/@${name}/`],
      createTime: startOfTime,
      updateTime: startOfTime,
    });
  }
}
