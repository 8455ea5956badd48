/** All public services behind one function from Request to Response. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  createConnectRouter,
  createContextValues,
  type ConnectRouter,
  type MethodImpl,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  type UniversalHandler,
  universalServerRequestFromFetch,
  universalServerResponseToFetch,
} from "@connectrpc/connect/protocol";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { AuditService } from "../../proto/gen/ignite/v1/audit_service_pb.ts";
import { BuildService } from "../../proto/gen/ignite/v1/build_service_pb.ts";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { ModelService } from "../../proto/gen/ignite/v1/model_service_pb.ts";
import { SecretService } from "../../proto/gen/ignite/v1/secret_service_pb.ts";
import { notImplemented } from "../operations/failures.ts";
import type { Ports } from "../ports.ts";
import { appMethods } from "./apps.ts";
import { auditMethods } from "./audit.ts";
import { admit, type CallScope, callScope } from "./call.ts";
import { draftMethods } from "./drafts.ts";
import { connectErrorOf, translateErrors } from "./errors.ts";
import { executionMethods } from "./executions.ts";
import { invocationMethods } from "./invocations.ts";
import { keyMethods } from "./keys.ts";
import { adminMethods } from "./organizations.ts";
import { explainUnreadable } from "./unreadable.ts";
import { validateRequests } from "./validation.ts";
import { versionMethods } from "./versions.ts";
import { explainWrongForm } from "./wrong-form.ts";

/** The services that callers of the API can reach. */
export const publicServices: readonly DescService[] = [
  ComputeService,
  BuildService,
  ModelService,
  SecretService,
  KeyService,
  AuditService,
  AdminService,
];

/** Answers an RPC, or undefined when the path is not one of ours. */
export type RpcHandler = (request: Request, scope: CallScope) => Promise<Response> | undefined;

const MESSAGE_BYTES_MAX = 40 * 1024 * 1024; // An invocation's body of 32 MiB, in base64 less

/** Makes the handler: Connect and gRPC-Web, JSON and binary. */
export function createRpcHandler(ports: Ports): RpcHandler {
  const router = createConnectRouter({
    grpc: false, // Needs trailers; native gRPC is passed on as gRPC-Web by the host
    readMaxBytes: MESSAGE_BYTES_MAX,
    interceptors: [translateErrors(ports.log), validateRequests()],
    async requestGate(context) {
      const { requestId } = context.values.get(callScope);
      explainUnreadable(context, requestId);
      await admit(ports, context).catch((caught: unknown) => {
        throw connectErrorOf(caught, requestId, ports.log);
      });
    },
  });
  register(router, ports);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, scope) => {
    const handler = handlers.get(new URL(request.url).pathname);
    return handler === undefined ? undefined : answer(handler, request, scope);
  };
}

async function answer(
  handler: UniversalHandler,
  request: Request,
  scope: CallScope,
): Promise<Response> {
  const universal = universalServerRequestFromFetch(request, {});
  const contextValues = createContextValues().set(callScope, scope);
  const response = await handler({ ...universal, contextValues });
  const answer = universalServerResponseToFetch(response);
  return explainWrongForm(answer, handler.method, scope.requestId);
}

function register(router: ConnectRouter, ports: Ports): void {
  const compute = {
    ...appMethods(ports),
    ...draftMethods(ports),
    ...versionMethods(ports),
    ...executionMethods(ports),
    ...invocationMethods(ports),
  };
  router.service(ComputeService, compute);
  router.service(KeyService, keyMethods(ports));
  router.service(AuditService, auditMethods(ports));
  router.service(AdminService, completed(AdminService, adminMethods(ports)));
  for (const service of [BuildService, ModelService, SecretService]) {
    router.service(service, completed(service, {}));
  }
}

/** Adds, for each method that is not served yet, one that says so with a reason. */
function completed<Service extends DescService>(
  service: Service,
  methods: Partial<ServiceImpl<Service>>,
): Partial<ServiceImpl<Service>> {
  const missing = service.methods.map((method) => [method.localName, refusal(method)]);
  return { ...Object.fromEntries(missing), ...methods } as Partial<ServiceImpl<Service>>;
}

function refusal(method: DescMethod): MethodImpl<DescMethod> {
  const refuse = () => {
    throw notImplemented(`${method.parent.name}/${method.name}`);
  };
  return refuse as unknown as MethodImpl<DescMethod>;
}
