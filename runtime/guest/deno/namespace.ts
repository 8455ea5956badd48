/** The `Deno` namespace of an isolate. What it lacks throws NotSupported and names the way out. */
import type { inspect } from "../inspect.ts";
import { defineLazyGlobal } from "../lazy-global.ts";
import { makeEnv } from "./env.ts";
import { denoErrors } from "./errors.ts";
import { type GuestFiles, makeFiles } from "./files.ts";
import { makeServe, type ServeHandler } from "./serve.ts";
import { upgradeWebSocket } from "./websocket.ts";

const VERSION = { deno: "2.9.6", v8: "", typescript: "" } as const;

/** What the namespace is made from. */
export interface DenoParts {
  vars: Record<string, string>;
  files: GuestFiles;
  inspect: typeof inspect;
}

/** Defines the global. Answers how to read what `Deno.serve` was given. */
export type InstallDeno = (parts: DenoParts) => () => ServeHandler | undefined;

/** See {@link InstallDeno}. This module is loaded only into isolates whose code names `Deno`. */
export const installDeno: InstallDeno = (parts) => {
  const { serve, served } = makeServe();
  defineLazyGlobal("Deno", () => makeNamespace(serve, parts));
  return served;
};

function makeNamespace(serve: unknown, { vars, files, inspect }: DenoParts): object {
  const members: Record<PropertyKey, unknown> = {
    ...makeFiles(files),
    serve,
    upgradeWebSocket,
    env: makeEnv(vars),
    get errors() {
      return denoErrors();
    },
    version: VERSION,
    inspect,
    build: {
      target: "x86_64-unknown-linux-gnu",
      arch: "x86_64",
      os: "linux",
      vendor: "unknown",
      standalone: false,
    },
    args: [],
    noColor: true,
    mainModule: "file:///app/main.js",
    exit(code = 0) {
      throw new (denoErrors().NotSupported)(`Deno.exit(${code}) has no meaning in an isolate`);
    },
  };
  return new Proxy(members, { get: readMember });
}

/** Known members as they are; any other name is a function that says what it would need. */
function readMember(members: Record<PropertyKey, unknown>, name: PropertyKey): unknown {
  if (name in members || typeof name === "symbol" || name === "then") return members[name];
  // A function rather than an arrow, so that `new Deno.Command()` gets the same answer
  return function unsupported() {
    throw new (denoErrors().NotSupported)(
      `Deno.${String(name)} is not available in an isolate; ` +
        'placement = "region" has it, in a container, and this release serves no region yet',
    );
  };
}
