/**
 * Bundled code, cut where one module ends and the next begins. deno bundle keeps a comment line
 * with the path before each module; lines and their order stay as they are.
 */

/** Consecutive lines of one module. */
export interface Segment {
  /** Path in the tree; begins with `../` for packages. */
  path: string;
  text: string;
}

/** Cuts. `paths` are those of the tree's modules; lines before the first header are `main`'s. */
export function splitSegments(code: string, paths: ReadonlySet<string>, main: string): Segment[] {
  const segments: Segment[] = [];
  let path = main;
  let lines: string[] = [];
  for (const line of code.split("\n")) {
    const header = line.startsWith("// ") ? line.slice("// ".length) : "";
    if (paths.has(header) || header.startsWith("../")) {
      if (lines.length > 0) segments.push({ path, text: lines.join("\n") });
      path = header;
      lines = [];
    }
    lines.push(line);
  }
  segments.push({ path, text: lines.join("\n") });
  return segments;
}

/** The code again. */
export function joinSegments(segments: readonly Segment[]): string {
  return segments.map(({ text }) => text).join("\n");
}
