import { formatDiagnostic } from "../diagnostics.ts";
import type { AppOrigin, DeployEvent } from "../../sdk/deploy.ts";
import { VersionStatus } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { Severity } from "../../proto/gen/ignite/v1/compile_pb.ts";
import type { Io } from "../io.ts";
import { printable } from "../printable.ts";
import { bytes } from "../views.ts";

/** Tells on stderr how a deploy goes, and keeps how long each step took. */
export class DeployProgress {
  readonly #io: Io;
  readonly #app: string;
  #lastMs = performance.now();
  #phase = "";
  #compiles = false;
  /** Time each step took, in milliseconds. */
  readonly tookMs: Record<string, number> = {};

  constructor(io: Io, app: string) {
    this.#io = io;
    this.#app = app;
  }

  /** Takes an event; may be passed as a function. */
  readonly report = (event: DeployEvent): void => {
    switch (event.step) {
      case "pack": {
        const files = event.files === 1 ? "1 file" : `${event.files} files`;
        return this.#done("pack", `Packed ${files}, ${bytes(event.bytes)}`);
      }
      case "upload":
        return this.#done("upload", event.sent ? "Uploaded" : "Nothing to upload, it is there");
      case "draft":
        return this.#done("draft", this.#draft(event.app));
      case "compile":
        return this.#compile(event.event);
      case "test": {
        const load = `loads in ${event.result.loadMs} ms`;
        return event.result.passed ? this.#done("test", `Tested: ${load}`) : undefined;
      }
      case "publish":
        return this.#done("publish", `Published v${event.version}`);
    }
  };

  #draft(origin: AppOrigin): string {
    if (origin === "created") return `Created ${this.#app}`;
    return origin === "restored" ? `Brought ${this.#app} back` : "Updated the draft";
  }

  #compile(event: Extract<DeployEvent, { step: "compile" }>["event"]): void {
    const { dim } = this.#io.errorColors;
    if (event.case === "log") {
      this.#io.progress(dim(printable(event.value.text.replace(/\n$/, ""))));
    }
    if (event.case === "progress" && event.value.phase !== this.#phase) {
      this.#phase = event.value.phase;
      this.#io.progress(dim(`  ${this.#phase} …`));
    }
    if (event.case === "diagnostic" && event.value.severity !== Severity.ERROR) {
      const none = async () => undefined;
      void formatDiagnostic(event.value, this.#io.errorColors, none).then((text) =>
        this.#io.progress(text),
      );
    }
    if (event.case !== "version" || event.value.status === VersionStatus.COMPILING) {
      this.#compiles = true;
    } else if (event.value.status !== VersionStatus.FAILED) {
      const { number, sizeBytes } = event.value;
      const what = this.#compiles ? `Compiled v${number}` : `Nothing changed since v${number}`;
      this.#done("compile", `${what}, ${bytes(sizeBytes)}`);
    }
  }

  #done(step: string, text: string): void {
    const nowMs = performance.now();
    const tookMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    this.tookMs[step] = Math.round(tookMs);
    const { green, dim } = this.#io.errorColors;
    this.#io.progress(`${green("✓")} ${text} ${dim(`${Math.round(tookMs)} ms`)}`);
  }
}
