/**
 * `npm run bench [-- ROW…] [--full] [--json FILE]`: measures the numbers of docs/specification.md
 * and prints one table. Exit status 1 when something missed its bar or could not be measured.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Bench } from "./context.ts";
import { ensureLoadGenerator } from "./load.ts";
import type { Row } from "./row.ts";
import { isAllMet, renderTable, type RowResult } from "./table.ts";

const USAGE = `npm run bench [-- ROW…] [-- --full --rounds N --seconds N --json FILE --list]`;

/** All rows by name, in the order of their files. */
export async function loadRows(): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>();
  const folder = new URL("rows/", import.meta.url);
  for (const file of readdirSync(folder).toSorted()) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const { row } = (await import(new URL(file, folder).href)) as { row: Row };
    rows.set(row.name, row);
  }
  return rows;
}

if (import.meta.main) process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      full: { type: "boolean", default: false },
      json: { type: "string" },
      list: { type: "boolean", default: false },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "3" },
    },
  });
  const rows = await loadRows();
  const unknown = positionals.find((name) => !rows.has(name));
  if (values.list || unknown !== undefined) {
    if (unknown !== undefined) console.error(`There is no row "${unknown}".\n${USAGE}`);
    for (const { name, bar } of rows.values()) console.log(`${name.padEnd(20)} ${bar}`);
    return unknown === undefined ? 0 : 2;
  }
  ensureLoadGenerator();
  const isWanted = ({ name, slow = false }: Row) =>
    positionals.length > 0 ? positionals.includes(name) : values.full || !slow;
  const bench = new Bench({
    full: values.full,
    rounds: Number(values.rounds),
    seconds: Math.min(5, Number(values.seconds)),
    progress: (what) => console.error(what),
  });
  const results: RowResult[] = [];
  try {
    for (const row of [...rows.values()].filter(isWanted)) results.push(await measure(bench, row));
  } finally {
    await bench.close();
  }
  console.log(renderTable(results));
  if (values.json !== undefined) writeFileSync(values.json, `${toJson(results)}\n`);
  return isAllMet(results) ? 0 : 1;
}

async function measure(bench: Bench, row: Row): Promise<RowResult> {
  console.error(`measuring ${row.name} …`);
  const { name, bar } = row;
  const startMs = performance.now();
  const context = bench.forRow();
  try {
    const lines = await row.run(context);
    return { row: { name, bar }, lines, tookMs: performance.now() - startMs };
  } catch (caught) {
    const error = caught instanceof Error ? caught.message : String(caught);
    return { row: { name, bar }, lines: [], error, tookMs: performance.now() - startMs };
  } finally {
    await context.dispose();
  }
}

function toJson(results: readonly RowResult[]): string {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  return JSON.stringify({ measuredAt: new Date().toISOString(), machine, results }, null, 2);
}
