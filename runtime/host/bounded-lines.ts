/** Reads what a process prints, line by line, however long its lines are. */
import type { Readable } from "node:stream";

/** Tells `onLine` each line without its end; of a longer one only the first `charactersMax`. */
export function readBoundedLines(
  input: Readable,
  charactersMax: number,
  onLine: (line: string) => void,
): void {
  let line = "";
  const append = (text: string) => {
    if (line.length < charactersMax) line += text.slice(0, charactersMax - line.length);
  };
  input.setEncoding("utf8");
  input.on("data", (chunk: string) => {
    let start = 0;
    for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", start)) {
      append(chunk.slice(start, end));
      onLine(line);
      line = "";
      start = end + 1;
    }
    append(chunk.slice(start));
  });
  input.on("end", () => {
    if (line !== "") onLine(line);
  });
}
