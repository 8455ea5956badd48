import { create } from "@bufbuild/protobuf";
import { afterEach, expect, test, vi } from "vitest";
import { LogEntrySchema } from "../proto/gen/ignite/v1/log_pb.ts";
import { type DeployEvent, ExecutionStatus, Ignite, IgniteApiError } from "./mod.ts";
import { memoryKey, memoryPlatform } from "./testing/memory-platform.ts";

afterEach(() => vi.unstubAllEnvs());

const main = 'export default { fetch: () => new Response("hello") };\n';

function client(key = memoryKey) {
  const platform = memoryPlatform();
  const { fetch, state } = platform;
  return { ignite: new Ignite({ url: `${state.url}/`, key, fetch }), state };
}

test("deploy() creates the app, publishes, and tells each step", async () => {
  const { ignite, state } = client();
  const steps: DeployEvent["step"][] = [];
  const deployed = await ignite.deploy("acme/hello", {
    runtime: "deno",
    main: "main.ts",
    files: { "main.ts": main },
    config: { vars: { GREETING: "Hi" }, limits: { memoryMb: 64 } },
    onProgress: ({ step }) => steps.push(step),
  });
  expect(deployed).toMatchObject({ app: "acme/hello", version: 1, published: true });
  expect(deployed.url).toBe("http://localhost:8787/@acme/hello/");
  expect([...new Set(steps)]).toEqual(["pack", "upload", "draft", "compile", "test", "publish"]);
  expect(state.apps.get("acme/hello")?.draft.config?.vars).toEqual({ GREETING: "Hi" });
});

test("deploy() sends equal sources once, in any order of files", async () => {
  const { ignite, state } = client();
  const files = { "main.ts": main, "a.txt": "a" };
  await ignite.deploy("acme/hello", { runtime: "deno", files, publish: false });
  const reversed = Object.fromEntries(Object.entries(files).toReversed());
  await ignite.deploy("acme/hello", { runtime: "deno", files: reversed });
  const [first] = state.blobs.keys();
  expect([...state.blobs.keys()]).toEqual([first]);
});

test("deploy() brings a deleted app back, with its versions", async () => {
  const { ignite } = client();
  const options = { runtime: "deno", files: { "main.ts": main } } as const;
  await ignite.deploy("acme/hello", options);
  await ignite.compute.deleteApp({ app: "acme/hello" });
  const origins: unknown[] = [];
  const { version } = await ignite.deploy("acme/hello", {
    ...options,
    onProgress: (event) => event.step === "draft" && origins.push(event.app),
  });
  expect({ version, origins }).toEqual({ version: 2, origins: ["restored"] });
});

test("deploy() asks before it sends a large source again", async () => {
  const { ignite, state } = client();
  const noise = crypto.getRandomValues(new Uint8Array(60_000));
  const files = { "main.ts": main, "a.bin": noise, "b.bin": noise.toReversed() };
  await ignite.deploy("acme/hello", { runtime: "deno", files });
  await ignite.deploy("acme/hello", { runtime: "deno", files });
  expect(state.calls).toEqual(["HEAD /blobs", "PUT /blobs", "HEAD /blobs"]);
});

test("deploy() fails with the places in the source", async () => {
  const { ignite } = client();
  const failing = ignite.deploy("acme/hello", { runtime: "deno", files: { "main.ts": "BROKEN" } });
  const error = await failing.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(IgniteApiError);
  expect(error).toMatchObject({
    code: "failed_precondition",
    reason: "COMPILE_FAILED",
    diagnostics: [{ file: "main.ts", line: 1, column: 1 }],
  });
});

test("deploy() of no files fails before anything is sent", async () => {
  const { ignite, state } = client();
  const failing = ignite.deploy("acme/hello", { runtime: "deno", files: {} });
  await expect(failing).rejects.toThrow("There is nothing to deploy: `files` is empty.");
  expect([state.calls, [...state.apps.keys()]]).toEqual([[], []]);
});

test("deploy() refuses a path that leaves the source tree", async () => {
  const { ignite } = client();
  const failing = ignite.deploy("acme/hello", { runtime: "deno", files: { "../x.ts": "" } });
  await expect(failing).rejects.toThrow(/not a path inside/);
});

test("app().fetch() answers the app's own response", async () => {
  const { ignite } = client();
  await ignite.deploy("acme/hello", { runtime: "deno", files: { "main.ts": main } });
  const app = ignite.app("acme/hello");
  const response = await app.fetch("/a?b=1", { method: "POST", body: "body" });
  expect(await response.text()).toBe("v1 POST /a?b=1 body\n");
  expect((await ignite.app("acme/none").fetch()).status).toBe(404);
});

test("app().urlOf() has a path form, a host form and a preview form", () => {
  const { ignite } = client();
  expect(ignite.app("acme/hello").urlOf("x")).toBe("http://localhost:8787/@acme/hello/x");
  expect(ignite.app("acme/hello", { address: "host" }).urlOf("/x")).toBe(
    "http://hello--acme.localhost:8787/x",
  );
  expect(ignite.app("acme/hello", { version: 3 }).urlOf()).toBe(
    "http://v3--hello--acme.localhost:8787/",
  );
  expect(() => ignite.app("a/b/c")).toThrow(TypeError);
});

/** Answers 401 as the gateway does while there is no key, and notes what it was sent. */
function locked() {
  const seen: (string | null)[] = [];
  const fetch = async (_url: unknown, init?: RequestInit) => {
    const credential = new Headers(init?.headers).get("authorization");
    seen.push(credential);
    if (credential !== null) return new Response(init?.body ?? null);
    const headers = { "content-type": "application/problem+json" };
    return new Response('{"reason":"CREDENTIAL_MISSING"}', { status: 401, headers });
  };
  const options = { url: "http://localhost:8787", key: "igk_x", org: "acme", fetch };
  return { ignite: new Ignite(options), seen };
}

test("app().fetch() sends the key only once the gateway asks for a credential", async () => {
  const { ignite, seen } = locked();
  const app = ignite.app("hello");
  expect(await (await app.fetch("/", { method: "POST", body: "body" })).text()).toBe("body");
  await app.fetch();
  expect(seen).toEqual([null, "Bearer igk_x", "Bearer igk_x"]);
});

test("app().fetch() keeps the key from apps of other organizations", async () => {
  const { ignite, seen } = locked();
  expect((await ignite.app("other/hello").fetch()).status).toBe(401);
  expect(seen).toEqual([null]);
});

test("app().fetch() leaves a 401 of the app itself alone", async () => {
  const fetch = async () => new Response("mine", { status: 401 });
  const ignite = new Ignite({ url: "http://localhost:8787", key: "igk_x", fetch });
  expect(await (await ignite.app("acme/hello").fetch()).text()).toBe("mine");
});

test("enqueue() answers an execution that can be watched and waited for", async () => {
  const { ignite } = client();
  await ignite.deploy("acme/hello", { runtime: "deno", files: { "main.ts": main } });
  const execution = await ignite.app("acme/hello").enqueue("/job", { body: "x" });
  expect(execution.id).toBe("exe_1");
  const events: (string | undefined)[] = [];
  for await (const event of execution.watch()) events.push(event.case);
  expect(events).toEqual(["execution", "log", "execution"]);
  expect(await (await execution.result()).text()).toBe("done");
});

test("enqueue() fails when the platform ran the request at once, or has no such app", async () => {
  const { ignite } = client();
  await ignite.deploy("acme/hello", { runtime: "deno", files: { "main.ts": main } });
  const ran = ignite.app("acme/hello").enqueue("/at-once");
  await expect(ran).rejects.toMatchObject({ reason: "NOT_IMPLEMENTED" });
  const absent = ignite.app("acme/none").enqueue("/");
  await expect(absent).rejects.toMatchObject({ code: "not_found", reason: "APP_NOT_FOUND" });
});

test("result() fails with the execution's own reason, cancel() leaves an ended one", async () => {
  const { ignite, state } = client();
  state.executions.set("exe_2", ExecutionStatus.FAILED);
  const execution = ignite.execution("exe_2");
  await expect(execution.result()).rejects.toMatchObject({ reason: "GUEST_ERROR" });
  expect((await execution.cancel()).status).toBe(ExecutionStatus.FAILED);
});

test("typed clients throw IgniteApiError with a code to act on", async () => {
  const { ignite } = client("igk_wrong");
  const failing = ignite.compute.getApp({ app: "acme/x" });
  await expect(failing).rejects.toMatchObject({
    name: "IgniteApiError",
    code: "unauthenticated",
    reason: "UNAUTHENTICATED",
  });
});

test("typed clients take an app by name, id or reference", async () => {
  const { ignite, state } = client();
  state.add("acme/hello");
  for (const app of ["acme/hello", { value: { case: "name", value: "acme/hello" } }] as const) {
    expect((await ignite.compute.getApp({ app })).app?.fullName).toBe("acme/hello");
  }
  const byId = ignite.compute.getApp({ app: "app_01arz3ndektsv4rrffq69g5fav" });
  await expect(byId).rejects.toThrow("There is no app app_01arz3ndektsv4rrffq69g5fav.");
  expect(await eventsOf(ignite.compute.tailLogs({ app: "acme/hello" }))).toEqual([]);
});

test("app().versions() and app().executions() read all pages", async () => {
  const { ignite, state } = client();
  for (const text of ["1", "2", "3"]) {
    await ignite.deploy("acme/hello", { runtime: "deno", files: { "main.ts": main + text } });
  }
  state.executions.set("exe_1", ExecutionStatus.FAILED);
  const app = ignite.app("acme/hello");
  expect((await eventsOf(app.versions())).map(({ number }) => number)).toEqual([3, 2, 1]);
  expect(await eventsOf(app.executions())).toMatchObject([{ id: "exe_1" }]);
});

test("app().logs() tells lines in order, and ends its call with the loop over them", async () => {
  const { state, fetch } = memoryPlatform();
  const signals: (AbortSignal | null | undefined)[] = [];
  const ignite = new Ignite({
    url: state.url,
    key: memoryKey,
    fetch: (input, init) => {
      signals.push(init?.signal);
      return fetch(input, init);
    },
  });
  const { logs } = state.add("acme/hello");
  logs.push(...[1n, 2n, 3n].map((sequence) => create(LogEntrySchema, { sequence })));
  const app = ignite.app("acme/hello");
  const positions = (await eventsOf(app.logs({ afterSequence: 1n }))).map(
    (event) => event.case === "entry" && event.value.sequence,
  );
  expect(positions).toEqual([2n, 3n]);
  for await (const _ of app.logs({ follow: true })) break;
  expect(signals.at(-1)?.aborted).toBe(true);
});

async function eventsOf<Event>(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("a platform that does not answer is CONTROL_UNAVAILABLE", async () => {
  const fetch = () => Promise.reject(new TypeError("fetch failed"));
  const ignite = new Ignite({ url: "http://localhost:1", fetch });
  const unavailable = { code: "unavailable", reason: "CONTROL_UNAVAILABLE" };
  await expect(ignite.keys.whoAmI({})).rejects.toMatchObject(unavailable);
  await expect(ignite.app("acme/hello").fetch()).rejects.toMatchObject(unavailable);
});

test("new Ignite() without an address is of the environment", async () => {
  vi.stubEnv("IGNITE_API", "http://ignite.test:1/");
  vi.stubEnv("IGNITE_KEY", "igk_environment");
  vi.stubEnv("IGNITE_ORG", "acme");
  const keys: (string | null)[] = [];
  const fetch = async (_url: unknown, init?: RequestInit) => {
    keys.push(new Headers(init?.headers).get("authorization"));
    return Response.json({});
  };
  expect(new Ignite().app("hello").urlOf()).toBe("http://ignite.test:1/@acme/hello/");
  await new Ignite({ fetch }).keys.whoAmI({});
  await new Ignite({ fetch, url: "http://elsewhere.test" }).keys.whoAmI({});
  expect(keys).toEqual(["Bearer igk_environment", null]);
  vi.stubEnv("IGNITE_API", "");
  expect(() => new Ignite({ key: "igk_x" })).toThrow(/set IGNITE_API and IGNITE_KEY/);
});

test("new Ignite() refuses an address that is none", () => {
  expect(() => new Ignite({ url: "localhost" })).toThrow();
  expect(() => new Ignite({ url: "ftp://localhost" })).toThrow(TypeError);
});

test("a call that the front answers in place of control fails with CONTROL_UNAVAILABLE", async () => {
  const headers = { "content-type": "application/problem+json", "ignite-request-id": "r1" };
  const fetch = async () => new Response('{"status":503}', { status: 503, headers });
  const { compute } = new Ignite({ url: "http://localhost", key: memoryKey, fetch });
  await expect(compute.listApps({})).rejects.toMatchObject({
    code: "unavailable",
    reason: "CONTROL_UNAVAILABLE",
    message: expect.stringContaining("does not answer"),
    requestId: "r1",
  });
});
