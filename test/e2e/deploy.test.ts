/** The main path as a stranger walks it: init, deploy, call, break, fix, split, roll back, logs. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientOf } from "../harness/apps.ts";
import { startPlatform, type TestPlatform, until } from "../harness/platform.ts";

let platform: TestPlatform;
let app: string;

beforeAll(async () => {
  platform = await startPlatform();
  app = join(await mkdtemp(join(tmpdir(), "ignite-app-")), "my-app");
});

afterAll(() => platform.dispose());

const answer = (message: string) =>
  `export default { fetch(request: Request) {
    console.log("asked for", new URL(request.url).pathname);
    return new Response(${JSON.stringify(message)});
  } };\n`;

const at = (path: string) => fetch(`${platform.url}/@${platform.org}/my-app${path}`);

async function run(...args: string[]) {
  const result = await platform.ignite(args, { cwd: app });
  expect(result.code, `${args.join(" ")}: ${result.stderr}`).toBe(0);
  return result.stdout;
}

test("ignite init, ignite deploy: the app answers by path, by host and as a preview", async () => {
  const made = await platform.ignite(["init", app, "--template", "deno"]);
  expect(made.code, made.stderr).toBe(0);
  await writeFile(join(app, "main.ts"), answer("one"));
  const deployed = JSON.parse(await run("deploy", "--json"));
  expect(deployed).toMatchObject({ app: `${platform.org}/my-app`, version: 1, published: true });
  expect(await (await at("/")).text()).toBe("one");
  for (const label of ["my-app--local", "v1--my-app--local"]) {
    const response = await platform.fetchHost(`${label}.localhost`, "/");
    expect(await response.text(), label).toBe("one");
    expect(response.headers.get("ignite-request-id")).toBeTruthy();
  }
});

test("ignite deploy of what is there already says so, and keeps the new message", async () => {
  const again = await platform.ignite(["deploy", "-m", "once more"], { cwd: app });
  expect(again).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("Nothing changed since v1"),
  });
  expect(await run("versions", "my-app")).toMatch(/v1 +active.*once more/);
});

test("a source that does not parse leaves the live version alone and says where", async () => {
  await writeFile(
    join(app, "main.ts"),
    "export default {\n  fetch() { return new Response( }\n};\n",
  );
  const failed = await platform.ignite(["deploy"], { cwd: app });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/main\.ts:2:\d+/);
  expect(await (await at("/")).text()).toBe("one");
});

test("a version that throws on load is never published", async () => {
  const source = `interface Shift { columns: true }\nthrow new Error("not today");`;
  await writeFile(join(app, "main.ts"), source);
  const failed = await platform.ignite(["deploy"], { cwd: app });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("not today");
  expect(failed.stderr).toContain("main.ts:2:7");
  expect(await (await at("/")).text()).toBe("one");
});

test("ignite traffic splits, ignite rollback returns without compiling", async () => {
  await writeFile(join(app, "main.ts"), answer("two"));
  const { version } = JSON.parse(await run("deploy", "--json", "-m", "say two"));
  expect(await (await at("/")).text()).toBe("two");
  await run("traffic", "v1=50", `v${version}=50`); // The app of this folder
  const seen = new Set<string>();
  await until("both versions", async () => {
    seen.add(await (await at("/")).text());
    return seen.size === 2;
  });
  await run("traffic", "my-app", `v${version}=100`);
  await run("rollback", "my-app");
  expect(await (await at("/")).text()).toBe("one");
  expect(await run("invoke", "/")).toBe("one");
  expect(await run("app")).toMatch(/^Access +public$/m);
  const versions = await run("versions", "my-app");
  expect(versions).toContain("say two");
});

test("an error that is printed has its place in the source", async () => {
  const source = `interface Shift { columns: true }
export default { fetch() { console.log(new Error("printed")); return new Response("x"); } };`;
  await writeFile(join(app, "main.ts"), source);
  await run("deploy");
  expect((await at("/")).status).toBe(200);
  await until("the mapped stack", async () => {
    const text = await run("logs", "my-app");
    return /Error: printed[\s\S]*main\.ts:2:/.test(text) && text;
  });
  await run("rollback", "my-app");
});

test("ignite logs and ignite executions show what happened", async () => {
  expect((await at("/a/path")).status).toBe(200);
  const logs = await until("the log line", async () => {
    const text = await run("logs", "my-app");
    return text.includes("asked for /a/path") && text;
  });
  expect(logs).toContain("asked for /a/path");
  const executions = await until("the execution", async () => {
    const text = await run("executions", "my-app");
    return text.includes("/a/path") && text;
  });
  expect(executions).toMatch(/200/);
});

test("an uncaught error is a problem for the caller and a mapped stack in the log", async () => {
  await writeFile(
    join(app, "main.ts"),
    `function inner(): never {\n  throw new Error("kaput");\n}\nexport default { fetch: () => inner() };\n`,
  );
  await run("deploy");
  const response = await at("/");
  expect(response.status).toBe(502);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = await response.json();
  expect(problem).toMatchObject({ status: 502, reason: "GUEST_ERROR" });
  expect(JSON.stringify(problem)).not.toContain("kaput");
  await until("the stack", async () => (await run("logs", "my-app")).includes("main.ts:2:"));
});

test("a language of a later release is refused by name, over the API too", async () => {
  const files = { "Cargo.toml": "" };
  const deploying = clientOf(platform).deploy("local/crab", { runtime: "rust", files });
  await expect(deploying).rejects.toMatchObject({
    reason: "NOT_IMPLEMENTED",
    message: "This release does not compile rust apps.",
  });
});

test("ignite keys recover makes an operator key for who lost all keys", async () => {
  const data = join(platform.dataDir, "data");
  const lost = JSON.parse((await platform.ignite(["whoami", "--json"])).stdout) as {
    key: { id: string };
  };
  const refused = await platform.ignite(["keys", "revoke", lost.key.id]);
  expect(refused.stderr).toContain("why: LAST_OWNER_KEY");
  const recovered = await platform.ignite(["keys", "recover", "--data", data]);
  expect(recovered).toMatchObject({ code: 0, stdout: expect.stringMatching(/^igk_\w+\n$/) });
  expect(recovered.stderr).toContain('It is saved as context "local".');
  const key = recovered.stdout.trim();
  expect((await platform.ignite(["whoami", "--key", key])).stdout).toContain("owner, operator");
  const orgs = await platform.ignite(["orgs", "list", "--key", key]);
  expect(orgs).toMatchObject({ code: 0, stdout: expect.stringContaining("local") });
  const elsewhere = await platform.ignite(["keys", "recover", "--data", platform.dataDir]);
  expect(elsewhere.stderr).toContain("No Ignite runs with the data folder");
});

test("what was published is there again after a restart", async () => {
  await run("rollback", "my-app");
  const before = await (await at("/")).text();
  const { dataDir } = platform;
  await platform.stop();
  platform = await startPlatform({ dataDir });
  expect(await (await at("/")).text()).toBe(before);
  expect(await readFile(join(dataDir, "config/ignite/contexts.json"), "utf8")).toContain("igk_");
});
