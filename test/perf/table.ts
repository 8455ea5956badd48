/** The table that a run prints. */
import { isMet, type Line, type Row } from "./row.ts";

/** What became of a row. */
export interface RowResult {
  row: Pick<Row, "name" | "bar">;
  lines: readonly Line[];
  /** Why it could not be measured. */
  error?: string;
  tookMs: number;
}

const HEAD = ["row", "what", "ours", "peer", "ratio", "bar", ""] as const;

/** The results as aligned text, a line per number, notes below. */
export function renderTable(results: readonly RowResult[]): string {
  const body = results.flatMap((result) => [
    ...result.lines.map((line) => cellsOf(result.row.name, line)),
    ...(result.error === undefined
      ? []
      : [[result.row.name, "not measured", "", "", "", "", "!!"]]),
  ]);
  const widths = HEAD.map((head, at) =>
    Math.max(head.length, ...body.map((cells) => cells[at]?.length ?? 0)),
  );
  const render = (cells: readonly string[]) =>
    cells.map((cell, at) =>
      at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
  const rule = widths.map((width) => "-".repeat(width));
  const table = [HEAD, rule, ...body].map((cells) => render(cells).join("  ").trimEnd());
  return [...table, ...notesOf(results)].join("\n");
}

/** Whether everything was measured and nothing missed its bar. */
export function isAllMet(results: readonly RowResult[]): boolean {
  return results.every(
    ({ lines, error }) => error === undefined && lines.every((line) => isMet(line) !== false),
  );
}

function cellsOf(row: string, line: Line): string[] {
  const { what, value, unit, peer, ratio } = line;
  const verdict = { true: "ok", false: "MISSED", undefined: "" }[`${isMet(line)}`];
  return [
    row,
    what,
    `${numberText(value)} ${unit}`,
    peer === undefined ? "" : `${peer.name} ${numberText(peer.value)}`,
    ratio === undefined ? "" : ratio.toFixed(2),
    barText(line),
    verdict,
  ];
}

function barText({ bar, unit }: Line): string {
  if (bar === undefined) return "report";
  const aim = bar.aim === undefined ? "" : ` (aim ${bar.aim})`;
  return `≤ ${bar.max}${bar.of === "ratio" ? "" : ` ${unit}`}${aim}`;
}

function numberText(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function notesOf(results: readonly RowResult[]): string[] {
  const notes = results.flatMap(({ row, lines, error }) => [
    ...lines.flatMap(({ what, note }) =>
      note === undefined ? [] : [`${row.name}, ${what}: ${note}`],
    ),
    ...(error === undefined ? [] : [`${row.name} was not measured: ${error}`]),
  ]);
  return notes.length === 0 ? [] : ["", ...notes];
}
