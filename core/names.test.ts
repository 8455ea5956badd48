/** What holds for every name, host and path, whoever wrote it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../test/harness/arbitraries.ts";
import {
  fitsHost,
  formatAppName,
  hostLabelOf,
  isAppName,
  isOrgName,
  parseAppName,
  parseHost,
  targetOfHost,
  targetOfPath,
} from "./names.ts";

const NAME = /^[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3}$/;
const org = fc.stringMatching(NAME).filter(isOrgName);
const app = fc.stringMatching(NAME).filter(isAppName);
const name = fc.record({ org, app });
const version = fc.option(fc.integer({ min: 1, max: 999_999_999 }), { nil: undefined });
const domain = fc.constantFrom("localhost", "example.org", "a.b.test");

/** Nearly right: pieces of hosts and paths, and anything between them. */
const near = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "acme",
        "hello",
        "v3",
        "--",
        "-",
        ".",
        ":",
        "/",
        "@",
        "?",
        "%2f",
        "localhost",
      ),
      anyText(3),
    ),
    { maxLength: 9 },
  )
  .map((parts) => parts.join(""));
const any = fc.oneof(near, fc.string(), anyText(300));

test("parseAppName() reads what formatAppName() writes, and answers NAME_INVALID to the rest", () => {
  fc.assert(
    fc.property(name, (one) => {
      expect(parseAppName(formatAppName(one))).toEqual(one);
    }),
  );
  fc.assert(
    fc.property(any, (text) => {
      try {
        expect(formatAppName(parseAppName(text))).toBe(text);
      } catch (error) {
        expect(error).toMatchObject({ reason: "NAME_INVALID" });
      }
    }),
  );
});

test("targetOfHost() reads the label that hostLabelOf() makes, in any case and with any port", () => {
  fc.assert(
    fc.property(name, version, domain, fc.nat(65_535), (one, number, below, port) => {
      const label = hostLabelOf(one, number);
      fc.pre(label.length <= 63); // What DNS takes
      const host = parseHost(`${label.toUpperCase()}.${below}:${port}`);
      expect(host).toEqual({ name: `${label}.${below}`, port: String(port) });
      expect(targetOfHost(host?.name ?? "", below)).toEqual({ ...one, version: number });
    }),
  );
});

test("hostLabelOf() fits a DNS label for the longest names", () => {
  const longest = { org: "o".repeat(32), app: "a".repeat(28) };
  expect([isOrgName(longest.org), isAppName(longest.app)]).toEqual([true, true]);
  expect(hostLabelOf(longest).length).toBeLessThanOrEqual(63);
});

test("parseHost() takes a host as it gave it, and nothing that a URL would read differently", () => {
  fc.assert(
    fc.property(fc.oneof(any, fc.webAuthority(), fc.domain()), (text) => {
      const host = parseHost(text);
      if (host === undefined) return;
      const written = host.port === "" ? host.name : `${host.name}:${host.port}`;
      expect(parseHost(written)).toEqual(host);
      expect(written).toBe(text.toLowerCase());
      expect(written).toMatch(/^[a-z0-9.-]+(:\d+)?$/);
    }),
    { numRuns: 1_000 },
  );
});

test("targetOfHost() finds names of the grammar only, and each by one host", () => {
  fc.assert(
    fc.property(any, domain, (text, below) => {
      const target = targetOfHost(`${text}.${below}`, below);
      if (target === undefined) return;
      expect([isOrgName(target.org), isAppName(target.app)]).toEqual([true, true]);
      expect(hostLabelOf(target, target.version)).toBe(text);
    }),
    { numRuns: 1_000 },
  );
});

test("targetOfPath() finds the app and keeps every byte behind it", () => {
  const rest = fc.oneof(
    fc.constantFrom("", "/"),
    any.map((text) => `/${text}`),
    any.map((text) => `?${text}`),
  );
  fc.assert(
    fc.property(name, rest, (one, behind) => {
      const found = targetOfPath(`/@${formatAppName(one)}${behind}`);
      expect(found?.target).toEqual({ ...one, version: undefined });
      expect(found?.rest).toBe(behind.startsWith("/") ? behind : `/${behind}`);
    }),
  );
  fc.assert(
    fc.property(any, (text) => {
      const found = targetOfPath(`/@${text}`);
      if (found === undefined) return;
      expect(text.startsWith(formatAppName(found.target))).toBe(true);
      expect(found.rest.startsWith("/")).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test("fitsHost() holds for exactly the names whose previews parse as hosts", () => {
  const long = fc.integer({ min: 20, max: 32 }).map((length) => "o".repeat(length));
  fc.assert(
    fc.property(long, fc.integer({ min: 15, max: 28 }), (org, length) => {
      const name = { org, app: "a".repeat(length) };
      const preview = parseHost(`${hostLabelOf(name, 999_999)}.localhost`);
      expect(fitsHost(name)).toBe(preview !== undefined);
    }),
  );
});
