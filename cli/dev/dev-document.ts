/** What the cell of `ignite dev` is told of its app. */
import type { AppDocument, InvocationLimits } from "../../core/deployment.ts";
import type { Digest } from "../../core/ids.ts";
import {
  bodyMbDefault,
  cpuMsDefault,
  memoryMbDefault,
  timeoutMsDefault,
} from "../../core/limits.ts";

/** A version to serve. */
export interface DevVersion {
  artifact: Uint8Array<ArrayBuffer>;
  digest: Digest;
  vars: Readonly<Record<string, string>>;
  limits: Partial<InvocationLimits>;
  schema: AppDocument["schema"];
}

/** The name under which the app runs here. */
export const devApp = "dev/app";

/** The document of a version; `localhost` leads to it as a custom domain would. */
export function documentOf(version: DevVersion, number: number): AppDocument {
  const defaults: InvocationLimits = {
    memoryMb: memoryMbDefault,
    cpuMs: cpuMsDefault,
    timeoutMs: timeoutMsDefault,
    bodyMb: bodyMbDefault,
    methods: [],
  };
  const [org = "", app = ""] = devApp.split("/");
  return {
    appId: "app_dev",
    org,
    app,
    deleted: false,
    domains: ["localhost", "127.0.0.1"],
    access: { policy: "public" },
    limits: { ...defaults, ...version.limits },
    traffic: [{ version: number, weight: 100 }],
    sticky: "none",
    schema: version.schema,
    versions: {
      [number]: {
        versionId: `ver_dev${number}`,
        number,
        artifact: version.digest,
        vars: version.vars,
      },
    },
  };
}
