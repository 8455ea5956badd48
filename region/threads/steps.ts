/** Gathers what a compile says, so that a flood of short lines becomes a few messages. */
import type { CompileSink } from "../../compiler/request.ts";
import type { CompileStep } from "./task.ts";

const TEXT_CHARACTERS_MAX = 16_384; // A message of the API takes 64 KiB, a character up to 3 bytes

/**
 * Hands steps on in their order, all of a moment at once; lines of one stream that follow one
 * another are one text. `flush` hands on what waits.
 */
export function gatherSteps(
  send: (steps: readonly CompileStep[]) => void,
): CompileSink & { flush(): void } {
  let waiting: CompileStep[] = [];
  const flush = () => {
    if (waiting.length > 0) send(waiting);
    waiting = [];
  };
  const add = (step: CompileStep) => {
    if (waiting.length === 0) setImmediate(flush);
    waiting.push(step);
  };
  return {
    flush,
    log(stream, line) {
      const last = waiting.at(-1);
      const text = `${line}\n`;
      const fits = (before: string) => before.length + text.length <= TEXT_CHARACTERS_MAX;
      if (last?.kind === "log" && last.stream === stream && fits(last.text)) last.text += text;
      else add({ kind: "log", stream, text });
    },
    diagnostic: (diagnostic) => add({ kind: "diagnostic", diagnostic }),
    progress: (phase, done, total) => add({ kind: "progress", phase, done, total }),
  };
}
