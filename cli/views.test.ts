import { create } from "@bufbuild/protobuf";
import pc from "picocolors";
import { expect, test } from "vitest";
import { AppSchema, Sticky_Mode } from "../proto/gen/ignite/v1/app_pb.ts";
import { AccessPolicy, ExecutionStatus } from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import { LogGapSchema } from "../proto/gen/ignite/v1/log_pb.ts";
import { fields, table } from "./io.ts";
import { appText, bytes, enumName, gapText, trafficText } from "./views.ts";

const colors = pc.createColors(false);

test("table() lines up columns whatever their colours", () => {
  const { red } = pc.createColors(true);
  const text = table(
    ["A", "B"],
    [
      [red("long"), "1"],
      ["x", "2"],
    ],
  );
  expect(text.replaceAll(red("long"), "long")).toBe("A     B\nlong  1\nx     2");
});

test("fields() leaves out what is empty", () => {
  expect(
    fields([
      ["Name", "hello"],
      ["About", ""],
      ["Id", "app_1"],
    ]),
  ).toBe("Name  hello\nId    app_1");
});

test("fields() lines up values of several lines", () => {
  expect(
    fields([
      ["URL", "one\ntwo"],
      ["Traffic", "none"],
    ]),
  ).toBe("URL      one\n         two\nTraffic  none");
});

test("appText() tells who may call, whoever says so, and how callers stay", () => {
  const own = create(AppSchema, {
    access: { policy: AccessPolicy.KEY, methods: ["GET"] },
    sticky: { mode: Sticky_Mode.COOKIE },
  });
  expect(appText(own)).toMatch(/^Sticky +cookie\nAccess +key, GET only$/m);
});

test("bytes() has a unit that fits", () => {
  expect([bytes(12), bytes(1536n), bytes(5 * 1024 ** 3)]).toEqual(["12 B", "1.5 KiB", "5.0 GiB"]);
});

test("enumName() is in words", () => {
  expect(enumName(ExecutionStatus, ExecutionStatus.TIMED_OUT)).toBe("timed out");
  expect(enumName(ExecutionStatus, 99)).toBe("unknown");
});

test("gapText() counts lost lines and says why", () => {
  const gap = create(LogGapSchema, { fromSequence: 3n, toSequence: 5n, reason: "rate_limited" });
  expect(gapText(gap, colors)).toBe("… 3 lines are lost (rate limited)");
});

test("trafficText() tells shares, or that there is nothing yet", () => {
  const traffic = [
    { version: 3, weightPercent: 90 },
    { version: 4, weightPercent: 10 },
  ];
  expect(trafficText(create(AppSchema, { traffic }))).toBe("v3 90%, v4 10%");
  expect(trafficText(create(AppSchema, {}))).toContain("nothing is published");
});
