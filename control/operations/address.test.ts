import { expect, test } from "vitest";
import { addressOf } from "./address.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8::7", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["198.51.100.9, 192.0.2.1", "192.0.2.1"],
])("addressOf() of %s is %s", (given, expected) => {
  expect(addressOf(new Headers({ "x-forwarded-for": given }))).toBe(expected);
});

test("addressOf() is empty where the front does not know", () => {
  expect(addressOf(new Headers())).toBe("");
});
