/** Values between Hrana's JSON and the libSQL driver. */
import { HranaError, type HranaValue } from "./protocol.ts";

/** What the driver takes and gives. Anything else would end the process, so nothing else passes. */
export type DriverValue = null | bigint | number | string | Buffer;

const INTEGER = /^-?\d{1,19}$/;
const INTEGER_MAX = 2n ** 63n - 1n;
const INTEGER_MIN = -(2n ** 63n);

/** Fails with ARGS_INVALID for what SQLite cannot hold, or the driver could not read back. */
export function toDriver(value: HranaValue): DriverValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return toInteger(value.value);
    case "float":
      // JSON has no infinity, but reads 1e999 as one.
      if (!Number.isFinite(value.value)) throw invalid("a float is not finite");
      return value.value;
    case "text":
      // The driver cuts text off at NUL when it reads; refused rather than lost.
      if (value.value.includes("\0")) throw invalid("a text has a NUL character");
      return value.value;
    case "blob":
      return Buffer.from(value.base64, "base64");
  }
}

/** The wire form of what a row holds. */
export function fromDriver(value: DriverValue): HranaValue {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: value.toString() };
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "string") return { type: "text", value };
  return { type: "blob", base64: value.toString("base64") };
}

function toInteger(text: string): bigint {
  const value = INTEGER.test(text) ? BigInt(text) : INTEGER_MAX + 1n;
  if (value > INTEGER_MAX || value < INTEGER_MIN) throw invalid("an integer has over 64 bits");
  return value;
}

function invalid(what: string): HranaError {
  return new HranaError("ARGS_INVALID", `An argument cannot be stored: ${what}.`);
}
