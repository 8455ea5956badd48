import { expect, test } from "vitest";
import { memoryFileSystem } from "../ports.ts";
import { readOutput } from "./output.ts";

/** The bundler passes on what maps of packages say. */
test.each(["http://[", "../src/%zz.ts", "%", "file://%/", "data:x", ""])(
  "readOutput() takes a map that names %j as a source",
  async (source) => {
    const sources = ["../src/main.ts", source];
    const { sources: found } = await readOutput({
      code: "export default 1;",
      sourceMap: JSON.stringify({ version: 3, sources, sourcesContent: ["text", "x"] }),
      main: "main.ts",
      folders: { source: "/ignite/src", output: "/ignite/out", cache: "/ignite/cache" },
      files: memoryFileSystem({}),
    });
    expect(found.get("main.ts")).toBe("text");
  },
);
