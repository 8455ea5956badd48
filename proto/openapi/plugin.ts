/**
 * The protoc plugin that writes `openapi.json`. Buf starts it with all files at once. Services
 * between planes are left out: they are no part of the public API.
 */
import { createEcmaScriptPlugin, runNodeJs } from "@bufbuild/protoplugin";
import { openApiDocument } from "./document.ts";

const internalServices: ReadonlySet<string> = new Set(["ignite.v1.RegionService"]);

runNodeJs(
  createEcmaScriptPlugin({
    name: "protoc-gen-ignite-openapi",
    version: "v1",
    generateTs(schema) {
      const services = schema.files
        .flatMap((file) => file.services)
        .filter((service) => !internalServices.has(service.typeName));
      schema.generateFile("openapi.json").print(JSON.stringify(openApiDocument(services), null, 2));
    },
  }),
);
