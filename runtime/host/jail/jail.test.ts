import { readFile, readlink } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import { innermostPid } from "../watchdog/process-usage.ts";
import { type EdgeFixture, startEdgeFixture } from "../testing/edge-fixture.ts";
import { seccompProgram } from "./seccomp.ts";
import { allowedCalls } from "./system-calls.ts";

const fixtures: EdgeFixture[] = [];
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.close();
});

test("a cell has no capabilities, no network, no other user's rights, and a filter", async () => {
  const fixture = await startEdgeFixture();
  fixtures.push(fixture);
  const { edge } = fixture;
  const [cell] = edge.health().cells;
  const pid = await innermostPid(cell?.pid ?? 0);
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
  if (!edge.sandbox.sandboxed) return expect(edge.sandbox.missing).not.toEqual([]);
  expect(field("Name")).toBe("workerd");
  expect(field("Uid")).not.toBe("0");
  expect(field("CapEff")).toBe("0000000000000000");
  expect(field("CapBnd")).toBe("0000000000000000");
  expect(field("NoNewPrivs")).toBe("1");
  expect(field("Seccomp")).toBe("2");
  for (const namespace of ["net", "pid", "mnt", "ipc", "uts"]) {
    const own = await readlink(`/proc/self/ns/${namespace}`);
    expect(await readlink(`/proc/${pid}/ns/${namespace}`), namespace).not.toBe(own);
  }
});

test("seccompProgram() refuses another architecture, other sockets and new namespaces", () => {
  for (const architecture of ["x64", "arm64"] as const) {
    const run = interpreterOf(seccompProgram(architecture));
    const arch = architecture === "x64" ? 0xc000003e : 0xc00000b7;
    const numberOf = (name: string) =>
      allowedCalls.find((call) => call.name === name)?.[architecture] ?? -1;
    expect(run(numberOf("read"), arch, 0)).toBe("allow");
    expect(run(numberOf("read"), arch + 1, 0)).toBe("kill");
    expect(run(numberOf("socket"), arch, 1)).toBe("allow");
    expect(run(numberOf("socket"), arch, 2)).toBe("errno 1");
    expect(run(numberOf("clone"), arch, 0x003d0f00)).toBe("allow");
    expect(run(numberOf("clone"), arch, 0x10000000)).toBe("errno 1");
    expect(run(numberOf("clone3"), arch, 0)).toBe("errno 38");
    expect(run(9_999, arch, 0)).toBe("errno 1");
  }
});

/** Runs the few BPF instructions that the program is made of. */
function interpreterOf(program: Uint8Array) {
  const view = new DataView(program.buffer);
  return (number: number, arch: number, argument: number): string => {
    const data = new Map([
      [0, number],
      [4, arch],
      [16, argument],
    ]);
    let loaded = 0;
    for (let at = 0; at < view.byteLength; at += 8) {
      const code = view.getUint16(at, true);
      const value = view.getUint32(at + 4, true);
      if (code === 0x20) loaded = data.get(value) ?? 0;
      if (code === 0x06) return nameOf(value);
      const holds = code === 0x15 ? loaded === value : (loaded & value) !== 0;
      if (code === 0x15 || code === 0x45) at += 8 * view.getUint8(at + (holds ? 2 : 3));
    }
    throw new Error("the program has no end");
  };
}

function nameOf(value: number): string {
  if (value === 0x7fff0000) return "allow";
  return value === 0x80000000 ? "kill" : `errno ${value & 0xffff}`;
}
