import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { ErrorInfoSchema } from "../../proto/gen/ignite/v1/error_pb.ts";
import { AppRefSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";

const app = create(AppRefSchema, { value: { case: "name", value: "local/hello" } });

async function withApp(): Promise<TestControl> {
  const control = await testControl();
  await control.client(ComputeService).createApp({ name: "hello" });
  return control;
}

const codeOf = (digest: string) =>
  ({
    kind: {
      case: "compile",
      value: { runtime: { language: { case: "deno", value: {} } }, source: { digest } },
    },
  }) as const;

async function reasonOf(call: Promise<unknown>): Promise<string | undefined> {
  const error = ConnectError.from(await call.catch((caught: unknown) => caught));
  return error.findDetails(ErrorInfoSchema)[0]?.reason;
}

test("updateDraft() refuses a schema that is none, and says where", async () => {
  const control = await withApp();
  const inputJson = JSON.stringify({ properties: { a: { type: "objekt" } } });
  const refused = control
    .client(ComputeService)
    .updateDraft({ app, config: { schema: { inputJson } } });
  await expect(refused).rejects.toThrow('config.schema.input_json: /properties/a/type: "objekt"');
});

test("updateDraft() keeps what is not named and refuses a stale etag", async () => {
  const control = await withApp();
  const compute = control.client(ComputeService);
  const digest = await control.upload("source");
  const first = await compute.updateDraft({ app, code: codeOf(digest) });
  const second = await compute.updateDraft({ app, config: { vars: { A: "1" } } });
  expect(second.draft?.sourceDigest).toBe(digest);
  expect(second.draft?.config?.vars).toEqual({ A: "1" });
  const stale = compute.updateDraft({ app, config: {}, etag: first.draft?.etag ?? "" });
  expect(await reasonOf(stale)).toBe("ETAG_MISMATCH");
});

test("updateDraft() refuses a source that was not uploaded, and schemas that are none", async () => {
  const control = await withApp();
  const compute = control.client(ComputeService);
  const missing = compute.updateDraft({ app, code: codeOf("a".repeat(64)) });
  expect(await reasonOf(missing)).toBe("SOURCE_MISSING");
  const schema = compute.updateDraft({ app, config: { schema: { inputJson: "{" } } });
  expect(await reasonOf(schema)).toBe("INVALID_ARGUMENT");
});

test("compileDraft() of an empty draft fails with DRAFT_EMPTY", async () => {
  const control = await withApp();
  const read = async () => {
    for await (const _ of control.client(ComputeService).compileDraft({ app }));
  };
  expect(await reasonOf(read())).toBe("DRAFT_EMPTY");
});

test("createApp() refuses a domain that another app has", async () => {
  const control = await withApp();
  const compute = control.client(ComputeService);
  await compute.updateApp({ app, domains: { names: ["shop.example"] } });
  const taken = compute.createApp({ name: "other", domains: ["shop.example"] });
  expect(await reasonOf(taken)).toBe("DOMAIN_TAKEN");
});

test.each(["hello--other.localhost", "shop.localhost", "127.0.0.1", "10.0.0.1", "1.2.3.0x4"])(
  "createApp() and updateApp() refuse %s as a custom domain",
  async (domain) => {
    const control = await withApp();
    const compute = control.client(ComputeService);
    const created = compute.createApp({ name: "thief", domains: [domain] });
    expect(await reasonOf(created)).toBe("INVALID_ARGUMENT");
    const updated = compute.updateApp({ app, domains: { names: [domain] } });
    expect(await reasonOf(updated)).toBe("INVALID_ARGUMENT");
  },
);
