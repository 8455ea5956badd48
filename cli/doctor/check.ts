/** What `ignite doctor` looks at: one finding per check, with what it costs and how to mend it. */

/** How a check came out: `off` works with less than it could, `bad` does not work. */
export type Verdict = "good" | "off" | "bad";

/** What came of a check. */
export interface Finding {
  name: string;
  verdict: Verdict;
  /** What was found, in a few words. */
  found: string;
  /** What is missing because of it. Empty when good. */
  means: string;
  /** How to turn it on. Empty when good. */
  fix: string;
}

/** Looks at one thing; never throws. */
export type Check = () => Promise<Finding>;

/** A finding that needs nothing to be done. */
export function good(name: string, found: string): Finding {
  return { name, verdict: "good", found, means: "", fix: "" };
}

/** A finding that costs something. */
export function off(name: string, found: string, means: string, fix: string): Finding {
  return { name, verdict: "off", found, means, fix };
}

/** A finding that keeps the platform from working. */
export function bad(name: string, found: string, means: string, fix: string): Finding {
  return { name, verdict: "bad", found, means, fix };
}
