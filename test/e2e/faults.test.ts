/** Each process is killed in turn while apps are called: answers stay right, and all come back. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPlatform, type TestPlatform, until } from "../harness/platform.ts";
import { descendantsOf } from "../harness/processes.ts";

/** A part of the platform, and what its command line names. */
const PARTS: readonly (readonly [name: string, commandLine: RegExp])[] = [
  ["a cell", /workerd.*\/cells\//],
  ["control", /workerd.*\/control\/workerd\.capnp/],
  ["store", /region\/store\/main\.ts/],
  ["region", /region\/main\.ts/],
  ["egress", /egress\/main\.ts/],
  ["haproxy", /haproxy .*haproxy\.cfg/],
];

let platform: TestPlatform;
let folder: string;

beforeAll(async () => {
  platform = await startPlatform();
  folder = await mkdtemp(join(tmpdir(), "ignite-faults-"));
  await writeFile(
    join(folder, "ignite.toml"),
    'app = "steady"\nruntime = "deno"\nmain = "main.ts"\n',
  );
  await deploy("first");
  await until("it answers", async () => (await call()).status === 200);
});

afterAll(() => platform.dispose());

async function deploy(text: string) {
  const source = `export default { fetch: () => new Response(${JSON.stringify(text)}) };\n`;
  await writeFile(join(folder, "main.ts"), source);
  return platform.ignite(["deploy"], { cwd: folder });
}

const call = () => fetch(`${platform.url}/@${platform.org}/steady/`);

test.each(PARTS)(
  "%s is killed: every answer is right or a problem, and all comes back",
  async (name, line) => {
    const before = await (await call()).text();
    const victims = await descendantsOf(platform.pid, line);
    expect(victims.length, `processes of ${name}`).toBeGreaterThan(0);
    let stop = false;
    const answers: string[] = [];
    const calling = (async () => {
      while (!stop) answers.push(await answerOf());
    })();
    victims.forEach(kill);
    await until(`${name} is started again`, async () => {
      const found = await descendantsOf(platform.pid, line);
      return found.length > 0 && found.every((pid) => !victims.includes(pid));
    });
    const deployed = await until(`a deploy after ${name} was killed`, async () => {
      const result = await deploy(`after ${name}`);
      return result.code === 0 && result;
    });
    expect(deployed.code).toBe(0);
    await until("the new version answers", async () => (await answerOf()) === `after ${name}`);
    stop = true;
    await calling;
    const allowed = new Set([before, `after ${name}`, "problem", "refused"]);
    expect(answers.filter((answer) => !allowed.has(answer))).toEqual([]);
    if (name !== "haproxy") expect(answers, "connections").not.toContain("refused");
    if (["control", "store", "region", "egress"].includes(name)) {
      expect(answers, "calls that do not need it").not.toContain("problem");
    }
  },
  60_000,
);

/** Ends a process, unless it went with its parent. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    expect(error).toMatchObject({ code: "ESRCH" });
  }
}

/** What a call got: the app's text, a problem document, or no connection. */
async function answerOf(): Promise<string> {
  try {
    const response = await call();
    const type = response.headers.get("content-type") ?? "";
    const text = await response.text();
    return type.startsWith("application/problem+json") && response.status === 503
      ? "problem"
      : text;
  } catch {
    return "refused";
  }
}
