/** The guest's own code as one module in a string (made by runtime/build.ts). */
declare module "ignite-guest" {
  const source: string;
  export default source;
}

/** The guest's `Deno` namespace as one module in a string. */
declare module "ignite-guest-deno" {
  const source: string;
  export default source;
}
