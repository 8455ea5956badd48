/**
 * `require` of Node's modules in CommonJS packages. esbuild turns it into a call of a helper that
 * throws where there is no `require`, as in any ES module. This gives the bundle one that knows
 * Node's modules. Both parts are hoisted, so they can stand at the end and no line moves.
 */
const HELPER = /^var __require = /m;
const OWN = /\b(?:const|let|var|function|class) require\b/;
const SOURCE = [
  'import { createRequire as __ignite_create_require } from "node:module";',
  "function require(name) {",
  '  return __ignite_create_require("file:///app/main.js")(name);',
  "}",
  "",
].join("\n");

/** The code, with a `require` where it calls one for Node's modules. */
export function provideRequire(code: string): string {
  if (!HELPER.test(code) || !code.includes('__require("node:') || OWN.test(code)) return code;
  return `${code}\n${SOURCE}`;
}
