/**
 * Native gRPC. The control Worker speaks Connect and gRPC-Web, since workerd sends no trailers;
 * this port takes HTTP/2 gRPC, with reflection, and passes each call on as gRPC-Web. Messages are
 * carried as bytes: nothing here knows what is in them, and the Worker checks them as it always
 * does.
 */
import { toBinary } from "@bufbuild/protobuf";
import type { DescFile } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import type { Dispatcher } from "undici";

/** Where calls go, and where to listen. */
export interface GrpcFrontOptions {
  /** The files whose services are offered. */
  files: readonly DescFile[];
  /** Reaches the control plane. */
  control: Dispatcher;
  /** `host:port`; port 0 picks a free one. */
  address: string;
}

/** A listening gRPC port. */
export interface GrpcFront {
  port: number;
  close(): Promise<void>;
}

const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
const FRAME_HEADER_BYTES = 5;
const TRAILER_FLAG = 0x80;
/** Headers of HTTP or of gRPC itself, which the next hop makes anew. */
const OWN_HEADERS = new Set(["te", "content-type", "user-agent", "grpc-accept-encoding", "host"]);
/** Headers that control believes, so that no caller may set them. */
const TRUSTED_HEADERS = new Set(["x-forwarded-for", "ignite-request-id"]);

/** Starts the port. Fails when the address cannot be bound. */
export async function startGrpcFront(options: GrpcFrontOptions): Promise<GrpcFront> {
  const ordered = withImports(options.files);
  const definition = packageOf(ordered);
  const server = new Server({
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
  });
  new ReflectionService(reflectedPackage(ordered)).addToServer(server);
  for (const service of servicesOf(definition)) {
    const handlers = Object.entries(service).map(([name, method]) => [
      name,
      method.responseStream ? streaming(options.control, method) : unary(options.control, method),
    ]);
    server.addService(service, Object.fromEntries(handlers));
  }
  const port = await new Promise<number>((done, fail) =>
    server.bindAsync(options.address, ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : done(bound),
    ),
  );
  const close = () =>
    new Promise<void>((done) => {
      server.tryShutdown(() => done());
      server.forceShutdown();
    });
  return { port, close };
}

/** The files and all they import, each after those it imports. */
function withImports(files: readonly DescFile[]): DescFile[] {
  const ordered = new Map<string, DescFile>();
  const visit = (file: DescFile) => {
    if (ordered.has(file.name)) return;
    file.dependencies.forEach(visit);
    ordered.set(file.name, file);
  };
  files.forEach(visit);
  return [...ordered.values()];
}

/** The descriptors in the form that proto-loader takes. */
function packageOf(files: readonly DescFile[]): PackageDefinition {
  const set = toBinary(FileDescriptorSetSchema, {
    $typeName: "google.protobuf.FileDescriptorSet",
    file: files.map((file) => file.proto),
  });
  return loadFileDescriptorSetFromBuffer(Buffer.from(set));
}

/**
 * The files as they are, for reflection. Proto-loader's own definition joins the files of a package
 * into one that has lost its imports, from which no client can be made.
 */
function reflectedPackage(files: readonly DescFile[]): PackageDefinition {
  const fileDescriptorProtos = files.map((file) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)),
  );
  return { files: { fileDescriptorProtos } } as unknown as PackageDefinition; // All that it reads
}

/** The services of a package, with messages left as bytes. */
function servicesOf(definition: PackageDefinition): ServiceDefinition[] {
  const isService = (value: object): value is ServiceDefinition => !("format" in value);
  const bytes = (value: Buffer) => value;
  const raw = {
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  return Object.values(definition)
    .filter(isService)
    .map((service) =>
      Object.fromEntries(
        Object.entries(service).map(([name, method]) => [name, { ...method, ...raw }]),
      ),
    );
}

type Method = MethodDefinition<Buffer, Buffer>;

function unary(control: Dispatcher, method: Method): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    let answer: Buffer | undefined;
    const abort = new AbortController();
    call.on("cancelled", () => abort.abort());
    forward(control, method, call, abort.signal, async (message) => {
      answer = message;
    })
      .then((trailers) => callback(null, answer, trailers))
      .catch((error: unknown) => callback(serviceError(error)));
  };
}

function streaming(control: Dispatcher, method: Method): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    const abort = new AbortController();
    call.on("cancelled", () => abort.abort());
    forward(control, method, call, abort.signal, async (message) => {
      if (!call.write(message)) await new Promise((drained) => call.once("drain", drained));
    })
      .then((trailers) => call.end(trailers))
      .catch((error: unknown) => call.emit("error", serviceError(error)));
  };
}

/** Makes one call and hands over each message; answers the trailers, or throws a ServiceError. */
async function forward(
  control: Dispatcher,
  method: Method,
  call: Pick<ServerUnaryCall<Buffer, Buffer>, "request" | "metadata" | "getPeer">,
  signal: AbortSignal,
  onMessage: (message: Buffer) => Promise<void>,
): Promise<Metadata> {
  const response = await control.request({
    origin: "http://control",
    path: method.path,
    method: "POST",
    signal,
    headers: {
      ...headersOf(call.metadata),
      "x-forwarded-for": addressOf(call.getPeer()),
      "content-type": "application/grpc-web+proto",
      "x-grpc-web": "1",
    },
    body: frame(call.request),
  });
  const trailers = new Metadata();
  const early = response.headers["grpc-status"];
  if (early !== undefined) {
    await response.body.dump();
    for (const [name, value] of Object.entries(response.headers)) addTo(trailers, name, value);
    return finish(trailers);
  }
  if (response.statusCode !== 200) {
    await response.body.dump();
    throw failure(status.UNAVAILABLE, `The control plane answered ${response.statusCode}.`);
  }
  for await (const { flags, payload } of framesOf(response.body)) {
    if ((flags & TRAILER_FLAG) === 0) await onMessage(payload);
    else readTrailers(trailers, payload);
  }
  return finish(trailers);
}

function headersOf(metadata: Metadata): Record<string, string> {
  const pairs = Object.entries(metadata.getMap()).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? value.toString("base64") : value,
  ]);
  return Object.fromEntries(pairs.filter(([name]) => !isOwn(String(name))));
}

function isOwn(name: string): boolean {
  return OWN_HEADERS.has(name) || TRUSTED_HEADERS.has(name);
}

/** An address without its port, as grpc-js tells it: `127.0.0.1:5000`, `::1:5000`. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");
}

function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** Cuts a gRPC-Web body into its frames. */
async function* framesOf(body: AsyncIterable<Buffer>) {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + pending.readUInt32BE(1);
      if (end - FRAME_HEADER_BYTES > MESSAGE_BYTES_MAX) {
        throw failure(status.RESOURCE_EXHAUSTED, "The answer is too large.");
      }
      if (pending.length < end) break;
      yield { flags: pending.readUInt8(0), payload: pending.subarray(FRAME_HEADER_BYTES, end) };
      pending = pending.subarray(end);
    }
  }
}

function readTrailers(trailers: Metadata, payload: Buffer): void {
  for (const line of payload.toString("latin1").split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) addTo(trailers, line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
}

function addTo(trailers: Metadata, name: string, value: string | string[] | undefined): void {
  const key = name.toLowerCase();
  if (value === undefined || OWN_HEADERS.has(key)) return;
  for (const text of [value].flat()) {
    trailers.add(key, key.endsWith("-bin") ? Buffer.from(text, "base64") : text);
  }
}

/** Splits the status from the rest of the trailers. */
function finish(trailers: Metadata): Metadata {
  const [code] = trailers.get("grpc-status");
  const [message] = trailers.get("grpc-message");
  trailers.remove("grpc-status");
  trailers.remove("grpc-message");
  if (Number(code) === status.OK) return trailers;
  const text = decodeURIComponent(String(message ?? ""));
  throw failure(code === undefined ? status.UNKNOWN : Number(code), text, trailers);
}

function failure(code: status, details: string, metadata = new Metadata()): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata });
}

function serviceError(error: unknown): ServiceError {
  if (error instanceof Error && "metadata" in error) return error as ServiceError;
  return failure(status.UNAVAILABLE, "The control plane does not answer.");
}
