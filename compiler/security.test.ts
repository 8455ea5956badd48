/** What a stranger's source may not do: read beyond its tree, reach a network, outlive its time. */
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Command } from "./ports.ts";
import { startTemporaryCompiler, type TemporaryCompiler } from "./temporary-compile.ts";

const MARKER = "PLANTED-OUTSIDE-OF-THE-TREE";
const HANDLER = 'export default { fetch() { return new Response("ok"); } };\n';

const NO_JAIL = "no jail can be built on this machine";

let compiler: TemporaryCompiler;
let outside: string;
let marker: string;

beforeAll(async () => {
  compiler = await startTemporaryCompiler();
  outside = await mkdtemp(join(tmpdir(), "ignite-outside-"));
  marker = join(outside, "marker.json");
  await writeFile(marker, JSON.stringify({ secret: MARKER }));
});
afterAll(async () => {
  await compiler?.close();
  await rm(outside, { recursive: true, force: true });
});

function importing(specifier: string, type = "json"): string {
  return `import t from ${JSON.stringify(specifier)} with { type: "${type}" };\nconsole.log(t);${HANDLER}`;
}

/** The trees are made late, since the marker's path is. */
const attempts: [string, () => Record<string, string>, ((source: string) => Promise<void>)?][] = [
  ["a file: import of JSON", () => ({ "main.ts": importing(`file://${marker}`) })],
  ["a file: import of text", () => ({ "main.ts": importing(`file://${marker}`, "text") })],
  ["an absolute import", () => ({ "main.ts": importing(marker, "bytes") })],
  ["a ../ import", () => ({ "main.ts": importing(`../../../../../..${marker}`) })],
  [
    "an import map entry",
    () => ({
      "main.ts": importing("x"),
      "deno.json": JSON.stringify({ imports: { x: `file://${marker}` } }),
    }),
  ],
  [
    "raw imports",
    () => ({
      "main.ts": importing(`file://${marker}`, "text"),
      "deno.json": '{"unstable": ["raw-imports"]}',
    }),
  ],
  [
    "a linked package",
    () => ({
      "main.ts": importing("x"),
      "deno.json": JSON.stringify({ links: [`../../../..${outside}`], imports: { x: "npm:x" } }),
    }),
  ],
  ["the environment of a process", () => ({ "main.ts": importing("/proc/self/environ", "text") })],
  ["the host's users", () => ({ "main.ts": importing("/etc/passwd", "text") })],
];

describe("compile() in the jail", () => {
  test.runIf(process.env["IGNITE_REQUIRE_JAIL"] === "1")("is there", () => {
    expect(compiler.toolchain.sandbox).toEqual({ kind: "jailed" });
  });

  test.each(attempts)("does not follow %s", async (_, files) => {
    if (!compiler.toolchain.process.walled) return; // Reported by the first test of the jail itself
    const { result, log, text } = await compiler.compile(files());
    expect(result.ok).toBe(false);
    expect(result.diagnostics.length).toBeGreaterThan(0);
    expect(`${text}\n${log.join("\n")}`).not.toContain(MARKER);
  });

  test("does not follow a link in the tree", async () => {
    const plant = (source: string) => symlink(marker, join(source, "link.json"));
    const { result, text } = await compiler.compile(
      { "main.ts": importing("./link.json") },
      {},
      plant,
    );
    if (!compiler.toolchain.process.walled) return;
    expect(result.ok).toBe(false);
    expect(text).not.toContain(MARKER);
  });

  test("never ships a link as an asset", async () => {
    const plant = (source: string) => symlink(marker, join(source, "public.json"));
    const files = { "main.ts": HANDLER, "ignite.toml": '[build]\nassets = ["*.json"]\n' };
    const { result } = await compiler.compile(files, {}, plant);
    expect(result).toMatchObject({ ok: true, assets: 0 });
  });

  test("refuses modules from hosts that are no package registry", async ({ skip }) => {
    skip(!compiler.toolchain.process.walled, NO_JAIL);
    for (const host of ["http://127.0.0.1:1", "http://169.254.169.254", "https://example.com"]) {
      const { result } = await compiler.compile({
        "main.ts": `import "${host}/x.ts";\n${HANDLER}`,
      });
      expect(result.ok).toBe(false);
    }
  });
});

/** Runs a program of our own in the jail: deno can show what it sees there. */
async function inJail(script: string, more: Partial<Command["limits"]> = {}) {
  const folder = await mkdtemp(join(outside, "run-"));
  await chmod(folder, 0o755);
  await writeFile(join(folder, "probe.ts"), script);
  const lines: string[] = [];
  const exit = await compiler.toolchain.process.run({
    args: ["run", "--allow-all", "--no-lock", "--no-config", "/ignite/src/probe.ts"],
    cwd: "/ignite/src",
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    mounts: [{ host: folder, guest: "/ignite/src", writable: false }],
    owner: "somebody",
    signal: AbortSignal.timeout(60_000),
    limits: {
      timeoutMs: 30_000,
      memoryBytes: 1024 ** 3,
      processes: 64,
      fileBytes: 1024 ** 2,
      logBytes: 100_000,
      ...more,
    },
    onLine: (_, line) => lines.push(line),
  });
  return { exit, lines };
}

describe("the jail itself", () => {
  test("has no network, no host files, no environment, no privileges", async ({ skip }) => {
    skip(!compiler.toolchain.process.walled, NO_JAIL);
    process.env["IGNITE_PLANTED"] = MARKER;
    const { lines } = await inJail(`
      const say = (name, value) => console.log(name + "=" + value);
      say("uid", Deno.uid());
      say("root", [...Deno.readDirSync("/")].map((e) => e.name).sort().join());
      say("env", Object.keys(Deno.env.toObject()).sort().join());
      try { Deno.writeTextFileSync("/ignite/src/x", "x"); say("write", "yes"); } catch { say("write", "no"); }
      try { await Deno.connect({ hostname: "1.1.1.1", port: 53 }); say("net", "yes"); } catch { say("net", "no"); }
      say("nics", Deno.networkInterfaces().map((n) => n.name).join());
    `);
    delete process.env["IGNITE_PLANTED"];
    const seen = Object.fromEntries(lines.map((line) => line.split("=")));
    expect(seen["uid"]).not.toBe("0");
    expect(seen["root"]).not.toMatch(/etc|home|proc|root|var/);
    expect(seen["env"]).toBe("DENO_NO_UPDATE_CHECK,HOME,NO_COLOR,PWD");
    expect(seen["write"]).toBe("no");
    expect(seen["net"]).toBe("no");
    expect(seen["nics"]).toMatch(/^(?:lo)?(?:,lo)?$/);
  });

  test("ends what runs too long", async () => {
    const { exit } = await inJail("for (;;);", { timeoutMs: 300 });
    expect(exit.stopped).toBe("timeout");
  });

  test("ends what takes too much memory", async () => {
    const eat = "const kept = []; for (;;) kept.push(new Uint8Array(1e7).fill(1));";
    const { exit } = await inJail(eat, { memoryBytes: 300_000_000 });
    expect(exit.stopped).toBe("memory");
  });

  test("ends what prints too much", async () => {
    const { exit, lines } = await inJail('for (;;) console.log("x".repeat(1000));', {
      logBytes: 50_000,
    });
    expect(exit.stopped).toBe("output");
    expect(lines.join("\n").length).toBeLessThan(60_000);
  });

  test("stops files from growing without end", async ({ skip }) => {
    skip(!compiler.toolchain.process.walled, NO_JAIL);
    const write =
      'Deno.writeFileSync("/tmp/big", new Uint8Array(2 * 1024 * 1024)); console.log("wrote");';
    const { lines } = await inJail(write);
    expect(lines).not.toContain("wrote");
  });
});
