/** What the style tests let pass. It only shrinks: an entry that is no longer needed fails too. */
import { expect } from "vitest";
import exceptions from "./exceptions.json" with { type: "json" };

/** A rule with exceptions. */
export type Rule = keyof typeof exceptions;

/** Expects the findings of a rule to be its exceptions, neither more nor fewer. */
export function expectOnlyExceptions(rule: Rule, findings: readonly string[]): void {
  const known: readonly string[] = exceptions[rule];
  const isKnown = (finding: string) => known.some((entry) => finding.startsWith(entry));
  expect(findings.filter((finding) => !isKnown(finding))).toEqual([]);
  const needed = (entry: string) => findings.some((finding) => finding.startsWith(entry));
  expect(
    known.filter((entry) => !needed(entry)),
    "no longer needed",
  ).toEqual([]);
}
