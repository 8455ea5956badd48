import { create } from "@bufbuild/protobuf";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { ErrorInfoSchema } from "../../proto/gen/ignite/v1/error_pb.ts";
import { AppRefSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { ModelService } from "../../proto/gen/ignite/v1/model_service_pb.ts";
import { testControl } from "../testing/control.ts";

const errorOf = async (call: Promise<unknown>) =>
  ConnectError.from(await call.catch((caught: unknown) => caught));

test("a broken rule answers invalid_argument with the field's path", async () => {
  const control = await testControl();
  const error = await errorOf(control.client(ComputeService).createApp({ name: "Not A Name" }));
  expect(error.code).toBe(Code.InvalidArgument);
  const [violations] = error.findDetails(ViolationsSchema);
  expect(violations?.violations[0]?.field?.elements[0]?.fieldName).toBe("name");
  expect(error.rawMessage).toBe(
    "name: must be lower-case letters and digits with single hyphens between them",
  );
});

test("a NUL character is refused wherever a text may stand", async () => {
  const control = await testControl();
  const compute = control.client(ComputeService);
  const created = await errorOf(compute.createApp({ name: "hello", description: "a\0b" }));
  expect(created).toMatchObject({ code: Code.InvalidArgument });
  expect(created.rawMessage).toBe("description: it has a NUL character.");
  await compute.createApp({ name: "hello" });
  const app = create(AppRefSchema, { value: { case: "name", value: "local/hello" } });
  const vars = await errorOf(compute.updateDraft({ app, config: { vars: { A: "\0" } } }));
  expect(vars.rawMessage).toBe("config.vars.A: it has a NUL character.");
});

test("an error carries reason, hint and request id", async () => {
  const control = await testControl();
  const app = create(AppRefSchema, { value: { case: "name", value: "local/none" } });
  const error = await errorOf(control.client(ComputeService).getApp({ app }));
  const [info] = error.findDetails(ErrorInfoSchema);
  expect(info).toMatchObject({ reason: "NOT_FOUND", retryable: false });
  expect(info?.requestId).toBe(error.metadata.get("ignite-request-id"));
});

test("what is not served yet answers unimplemented with a reason", async () => {
  const control = await testControl();
  const error = await errorOf(control.client(ModelService).listModels({}));
  expect(error.code).toBe(Code.Unimplemented);
  expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("NOT_IMPLEMENTED");
});

test("an error of ours says nothing to the caller", async () => {
  const control = await testControl();
  control.ports.stores.apps.find = async () => {
    throw new TypeError("secret detail");
  };
  const app = create(AppRefSchema, { value: { case: "name", value: "local/none" } });
  const error = await errorOf(control.client(ComputeService).getApp({ app }));
  expect(error.code).toBe(Code.Internal);
  expect(JSON.stringify(error.details) + error.message).not.toContain("secret detail");
});

test("the API speaks JSON to curl, and lets browsers call it", async () => {
  const control = await testControl();
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", body: '{"name":"hello"}', headers };
  const response = await control.fetch("/ignite.v1.ComputeService/CreateApp", init);
  expect(await response.json()).toMatchObject({ app: { fullName: "local/hello" } });
  expect(response.headers.get("ignite-request-id")).not.toBeNull();
  const preflight = await control.fetch("/ignite.v1.ComputeService/CreateApp", {
    method: "OPTIONS",
    headers: {
      origin: "https://page.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
  expect(preflight.headers.get("access-control-allow-headers")?.toLowerCase()).toContain(
    "authorization",
  );
});

test("a page token of another list is refused", async () => {
  const control = await testControl();
  const compute = control.client(ComputeService);
  for (const name of ["a", "b", "c"]) await compute.createApp({ name });
  const first = await compute.listApps({ pageSize: 2 });
  expect(first.apps.map(({ name }) => name)).toEqual(["a", "b"]);
  const second = await compute.listApps({ pageSize: 2, pageToken: first.nextPageToken });
  expect(second.apps.map(({ name }) => name)).toEqual(["c"]);
  expect(second.nextPageToken).toBe("");
  const pageToken = first.nextPageToken;
  const mixed = await errorOf(compute.listApps({ includeDeleted: true, pageToken }));
  expect(mixed.findDetails(ErrorInfoSchema)[0]?.reason).toBe("PAGE_TOKEN_INVALID");
});
