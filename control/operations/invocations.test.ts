import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { AccessPolicy, AppRefSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";

const app = create(AppRefSchema, { value: { case: "name", value: "local/hello" } });

async function withFront(): Promise<{ control: TestControl; seen: Request[] }> {
  const control = await testControl();
  const seen: Request[] = [];
  control.script.front = async (request) => {
    seen.push(request);
    return new Response("hi", { status: 201, headers: { "ignite-request-id": "r1", "x-a": "b" } });
  };
  await control.client(ComputeService).createApp({ name: "hello" });
  return { control, seen };
}

test("invoke() sends the request to the app's host and answers its response", async () => {
  const { control, seen } = await withFront();
  const body = new TextEncoder().encode("ping");
  const headers = [
    { name: "x-mine", value: "1" },
    { name: "ignite-hops", value: "9" },
    { name: "host", value: "other.example" },
  ];
  const request = { path: "/a?b=c", headers, body };
  const { response, executionId } = await control.client(ComputeService).invoke({ app, request });
  expect(seen[0]?.url).toBe("http://hello--local.localhost:8787/a?b=c");
  expect(seen[0]?.method).toBe("POST");
  expect(await seen[0]?.text()).toBe("ping");
  expect(seen[0]?.headers.get("x-mine")).toBe("1");
  expect(seen[0]?.headers.has("ignite-hops")).toBe(false);
  expect([response?.status, new TextDecoder().decode(response?.body)]).toEqual([201, "hi"]);
  expect(executionId).toBe("exe_r1");
});

test("invoke() gives the caller's key only to an app whose policy asks for one", async () => {
  const { control, seen } = await withFront();
  const compute = control.client(ComputeService);
  await compute.invoke({ app });
  expect(seen[0]?.headers.has("authorization")).toBe(false);
  await compute.updateApp({ app, access: { policy: AccessPolicy.KEY } });
  await compute.invoke({ app });
  expect(seen[1]?.headers.get("authorization")).toBe(`Bearer ${control.key}`);
});

test("invokeStream() sends the head first, then the body", async () => {
  const { control } = await withFront();
  const parts: unknown[] = [];
  for await (const { part } of control.client(ComputeService).invokeStream({ app })) {
    parts.push(part.case === "head" ? part.value.status : new TextDecoder().decode(part.value));
  }
  expect(parts).toEqual([201, "hi"]);
});
