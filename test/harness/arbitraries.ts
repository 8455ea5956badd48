/** Inputs of property tests that fast-check does not have, or is slow to make. */
import fc from "fast-check";

const codePoint = fc
  .oneof(fc.nat(0x7f), fc.nat(0x7ff), fc.nat(0x10ffff))
  .map((code) => String.fromCodePoint(code));

/** Text of any code points, control characters and lone surrogates among them. */
export function anyText(lengthMax?: number): fc.Arbitrary<string> {
  return fc.string({
    unit: codePoint,
    ...(lengthMax === undefined ? {} : { maxLength: lengthMax }),
  });
}
