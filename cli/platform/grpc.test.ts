import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { Client } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ComputeService,
  file_ignite_v1_compute_service as file,
} from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { AppRefSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { type GrpcFront, startGrpcFront } from "./grpc.ts";

/** A control plane with one app, spoken to by gRPC-Web as workerd's is. */
const adapter = connectNodeAdapter({
  routes: (router) =>
    router.service(ComputeService, {
      listApps: () => ({ apps: [{ name: "hello" }] }),
      getVersion: (_, { requestHeader }) => {
        throw new ConnectError(`from ${requestHeader.get("x-forwarded-for")}`, Code.NotFound);
      },
      getApp: () => {
        throw new ConnectError("no such app", Code.NotFound);
      },
      async *compileDraft() {
        for (const text of ["one", "two"]) {
          yield { event: { case: "log" as const, value: { text } } };
        }
      },
    }),
});

const control = createServer((request: IncomingMessage, response: ServerResponse) =>
  adapter(request, response),
);
let dispatcher: Client;
let front: GrpcFront;

beforeAll(async () => {
  await new Promise<void>((done) => control.listen(0, "127.0.0.1", done));
  const { port } = control.address() as AddressInfo;
  dispatcher = new Client(`http://127.0.0.1:${port}`);
  front = await startGrpcFront({ files: [file], control: dispatcher, address: "127.0.0.1:0" });
});

afterAll(async () => {
  await front.close();
  await dispatcher.close();
  control.close();
});

const client = () =>
  createClient(ComputeService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${front.port}` }));

test("startGrpcFront() passes unary calls on", async () => {
  const { apps } = await client().listApps({});
  expect(apps.map((app) => app.name)).toEqual(["hello"]);
});

test("startGrpcFront() keeps the status and message of an error", async () => {
  const failed = client().getApp({ app: create(AppRefSchema, {}) });
  await expect(failed).rejects.toMatchObject({ code: Code.NotFound, rawMessage: "no such app" });
});

test("startGrpcFront() says who calls, whatever the caller says", async () => {
  const failed = client().getVersion({}, { headers: { "x-forwarded-for": "192.0.2.1" } });
  await expect(failed).rejects.toMatchObject({ rawMessage: "from 127.0.0.1" });
});

test("startGrpcFront() streams messages in order", async () => {
  const texts: unknown[] = [];
  for await (const event of client().compileDraft({})) texts.push(event.event.value);
  expect(texts).toMatchObject([{ text: "one" }, { text: "two" }]);
});
