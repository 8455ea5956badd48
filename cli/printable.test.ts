import { PassThrough } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DiagnosticSchema } from "../proto/gen/ignite/v1/compile_pb.ts";
import { ExecutionSchema } from "../proto/gen/ignite/v1/execution_pb.ts";
import { LogEntrySchema } from "../proto/gen/ignite/v1/log_pb.ts";
import { formatDiagnostic } from "./diagnostics.ts";
import { Io } from "./io.ts";
import { printable, printableOutput } from "./printable.ts";
import { printReport, reportOf } from "./report.ts";
import { executionText, logText } from "./views.ts";

const HOSTILE = "\u001b]52;c;cm0=\u0007\u001b[2J\r\u009b31m\u202ehi\u001b[8m";
const SHOWN = "\\u001b]52;c;cm0=\\u0007\\u001b[2J\\u000d\\u009b31m\\u202ehi\\u001b[8m";

function terminal() {
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: Object.assign(new PassThrough(), { isTTY: true }),
  };
  const io = new Io(streams, {});
  const written = (name: "stdout" | "stderr") => String(streams[name].read() ?? "");
  return { io, written };
}

test("printable() shows control characters, and keeps lines, tabs and letters", () => {
  expect(printable(HOSTILE)).toBe(SHOWN);
  expect(printable("é\t漢\r\nnext\n")).toBe("é\t漢\nnext\n");
});

test("printable() leaves a line of JSON one that says the same", () => {
  const line = JSON.stringify({ message: HOSTILE });
  expect(JSON.parse(printable(line))).toEqual({ message: HOSTILE });
  expect(printable(line)).toContain("\\u009b");
});

test("printableOutput() keeps colours and no other command", () => {
  expect(printableOutput("\u001b[31mred\u001b[39m \u001b[2J")).toBe(
    "\u001b[31mred\u001b[39m \\u001b[2J",
  );
});

test("logs, executions, diagnostics and errors hand no command of an app to the terminal", async () => {
  const { io, written } = terminal();
  const { errorColors: colors } = io;
  const entry = create(LogEntrySchema, { message: HOSTILE, stack: `Error\n${HOSTILE}` });
  const failure = { reason: "GUEST_ERROR", message: HOSTILE, stack: HOSTILE };
  const execution = create(ExecutionSchema, { requestPath: HOSTILE, failure });
  const excerpt = { line: 1, column: 2, length: 1, lineText: HOSTILE };
  const diagnostic = create(DiagnosticSchema, { message: HOSTILE, file: HOSTILE, ...excerpt });
  const texts = [
    logText(entry, colors),
    executionText(execution, colors),
    await formatDiagnostic(diagnostic, colors, async () => undefined),
  ];
  for (const text of texts) {
    expect(text).toContain(SHOWN);
    expect(text).not.toContain("\u001b[8m");
  }
  const error = Object.assign(new Error(HOSTILE), { name: "IgniteApiError", diagnostics: [] });
  await printReport(io, reportOf(error), async () => undefined);
  expect(written("stderr")).toContain(`${SHOWN}\n`);
});

test("what is printed is cleaned whoever wrote it, and JSON still says the same", () => {
  const { io, written } = terminal();
  io.print(HOSTILE);
  expect(written("stdout")).toBe(`${SHOWN.replace("\\u001b[8m", "\u001b[8m")}\n`);
  io.json = true;
  io.item({ text: HOSTILE }, () => "");
  const line = written("stdout");
  expect(line).not.toContain("\u009b");
  expect(JSON.parse(line)).toEqual({ text: HOSTILE });
});
