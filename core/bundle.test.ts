/** What holds for every blob: it is read as it was written, or refused. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../test/harness/arbitraries.ts";
import { type BundleInput, decodeBundle, encodeBundle, type ModuleType } from "./bundle.ts";
import { IgniteError } from "./errors.ts";

const entryName = anyText(12);
const bytes = fc.uint8Array({ maxLength: 40 });
const type = fc.constantFrom<ModuleType>("js", "text", "data", "json", "wasm");

function parts<Meta>(meta: fc.Arbitrary<Meta>) {
  const part = fc.record({ name: entryName, bytes, meta });
  return fc.uniqueArray(part, { maxLength: 4, selector: ({ name }) => name });
}

const input: fc.Arbitrary<BundleInput> = fc.record({
  runtime: fc.constantFrom("deno", "component"),
  main: fc.string(),
  mustUnderstand: fc.constantFrom([], ["deno-namespace"]),
  compatibilityDate: fc.string(),
  compatibilityFlags: fc.uniqueArray(fc.string(), { maxLength: 3 }),
  modules: parts(fc.record({ type })),
  assets: parts(fc.record({ contentType: fc.string() })),
  sourceMap: fc.option(bytes, { nil: undefined }),
});

/** Reads a blob to the last byte, and gives what it would be written from. */
function read(blob: Uint8Array<ArrayBuffer>): BundleInput {
  const { index, bytesOf } = decodeBundle(blob.slice().buffer);
  const { modules, assets, sourceMap } = index;
  return {
    ...index,
    modules: modules.map((each) => ({
      name: each.name,
      bytes: bytesOf(each),
      meta: { type: each.type },
    })),
    assets: assets.map((each) => ({
      name: each.name,
      bytes: bytesOf(each),
      meta: { contentType: each.contentType },
    })),
    sourceMap: sourceMap && bytesOf(sourceMap),
  };
}

/** Reads a blob that may be anything: a refusal must be BUNDLE_REJECTED. */
function readOrRefuse(blob: Uint8Array<ArrayBuffer>): BundleInput | undefined {
  try {
    return read(blob);
  } catch (error) {
    if (error instanceof IgniteError) expect(error.reason).toBe("BUNDLE_REJECTED");
    else throw error;
    return undefined;
  }
}

test("decodeBundle() reads what encodeBundle() wrote, which then gives equal bytes", () => {
  fc.assert(
    fc.property(input, (one) => {
      const blob = encodeBundle(one);
      expect(encodeBundle(read(blob))).toEqual(blob);
    }),
  );
});

test("decodeBundle() of changed bytes reads or says BUNDLE_REJECTED", () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  const changes = fc.array(change, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(input, changes, fc.nat(), (one, places, cut) => {
      const blob = encodeBundle(one);
      for (const [at, byte] of places) blob[at % blob.length] = byte;
      readOrRefuse(blob);
      readOrRefuse(blob.slice(0, cut % blob.length));
    }),
    { numRuns: 500 },
  );
});

test("decodeBundle() of any bytes says BUNDLE_REJECTED", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (blob) => {
      expect(readOrRefuse(blob)).toBeUndefined();
    }),
  );
});

/** A blob with this text as its index and `body` bytes behind it. */
function withIndex(text: string, body: number): Uint8Array<ArrayBuffer> {
  const index = new TextEncoder().encode(text);
  const blob = new Uint8Array(12 + index.length + body);
  blob.set(new TextEncoder().encode("IGNB"));
  new DataView(blob.buffer).setUint32(4, 1, true);
  new DataView(blob.buffer).setUint32(8, index.length, true);
  blob.set(index, 12);
  return blob;
}

test("decodeBundle() of an index that is any JSON reads or says BUNDLE_REJECTED", () => {
  const number = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double(), fc.constant(2 ** 53));
  const odd = <Value>(right: fc.Arbitrary<Value>) =>
    fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: fc.jsonValue() });
  const entry = { name: odd(fc.string()), offset: odd(number), length: odd(number) };
  const list = <Value>(of: fc.Arbitrary<Value>) => odd(fc.array(of, { maxLength: 3 }));
  const index = fc.record(
    {
      runtime: odd(fc.constant("deno")),
      main: odd(fc.string()),
      mustUnderstand: list(odd(fc.constant("deno-namespace"))),
      compatibilityDate: odd(fc.string()),
      compatibilityFlags: list(odd(fc.string())),
      modules: list(fc.record({ ...entry, type: odd(type) })),
      assets: list(fc.record({ ...entry, contentType: odd(fc.string()) })),
      sourceMap: odd(fc.record(entry)),
    },
    { requiredKeys: ["main", "mustUnderstand", "modules", "assets"] },
  );
  fc.assert(
    fc.property(odd(index), (value) => {
      readOrRefuse(withIndex(JSON.stringify(value), 8));
    }),
    { numRuns: 500 },
  );
});
