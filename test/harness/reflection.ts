/** A native gRPC client that knows nothing but an address: it asks the server what it serves. */
import { once } from "node:events";
import { createRequire } from "node:module";
import {
  createFileRegistry,
  type DescService,
  fromBinary,
  type Registry,
} from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type ClientDuplexStream, credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

interface Answer {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Uint8Array[] };
  errorResponse?: { errorMessage: string };
}

type Ask = (question: Record<string, string>) => Promise<Answer>;

interface Reflection {
  ServerReflectionInfo(): ClientDuplexStream<Record<string, string>, Answer>;
  close(): void;
}

const require = createRequire(import.meta.url);
const PROTO = require.resolve("@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto");

/** The services that a server at `host:port` tells of, as descriptors to make clients from. */
export async function reflectedServices(address: string): Promise<Map<string, DescService>> {
  const definition = loadPackageDefinition(loadSync(PROTO)) as never as {
    grpc: { reflection: { v1: { ServerReflection: new (...init: unknown[]) => Reflection } } };
  };
  const { ServerReflection } = definition.grpc.reflection.v1;
  const client = new ServerReflection(address, credentials.createInsecure());
  const stream = client.ServerReflectionInfo();
  const ask: Ask = async (question) => {
    const answered = once(stream, "data") as Promise<[Answer]>;
    stream.write(question);
    const [answer] = await answered;
    if (answer.errorResponse !== undefined) throw new Error(answer.errorResponse.errorMessage);
    return answer;
  };
  try {
    const { listServicesResponse } = await ask({ listServices: "*" });
    const names = listServicesResponse?.service.map(({ name }) => name) ?? [];
    const ours = names.filter((name) => !name.startsWith("grpc."));
    const registry = await registryOf(ask, ours);
    return new Map(ours.flatMap((name) => pair(name, registry.getService(name))));
  } finally {
    stream.end();
    client.close();
  }
}

function pair(name: string, service: DescService | undefined): [string, DescService][] {
  return service === undefined ? [] : [[name, service]];
}

async function registryOf(ask: Ask, symbols: readonly string[]): Promise<Registry> {
  const files = new Map<string, FileDescriptorProto>();
  const take = async (question: Record<string, string>): Promise<void> => {
    const { fileDescriptorResponse } = await ask(question);
    const protos = fileDescriptorResponse?.fileDescriptorProto ?? [];
    for (const bytes of protos) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      for (const name of file.dependency.filter((name) => !files.has(name))) {
        await take({ fileByFilename: name });
      }
      files.set(file.name, file); // After those it imports
    }
  };
  for (const fileContainingSymbol of symbols) await take({ fileContainingSymbol });
  return createFileRegistry({
    $typeName: "google.protobuf.FileDescriptorSet",
    file: [...files.values()],
  });
}
