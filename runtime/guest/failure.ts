/** How a failure inside the isolate is described to the log and, without stack, to the gateway. */

/** Why an app's modules did not load. */
export interface LoadFailure {
  message: string;
  stack: string | undefined;
}

/** What a thrown value says. Takes anything, since a guest may throw anything. Does not throw. */
export function describeFailure(thrown: unknown): LoadFailure {
  try {
    if (thrown instanceof Error) {
      return { message: `${thrown.name}: ${thrown.message}`, stack: withCauses(thrown) };
    }
    return { message: String(thrown), stack: undefined };
  } catch {
    return { message: "a value that cannot be shown was thrown", stack: undefined };
  }
}

/** Throws the error whose message the gateway reads back (dispatch/failure.ts). */
export function throwForGateway(kind: "load" | "guest", message: string): never {
  throw new Error(`ignite:${kind}:${message.slice(0, 2_000)}`);
}

const CAUSES_MAX = 5;

function withCauses(error: Error): string {
  const stacks: string[] = [];
  let at: unknown = error;
  while (at instanceof Error && stacks.length < CAUSES_MAX) {
    stacks.push(withoutOurs(at.stack ?? String(at)));
    at = at.cause;
  }
  return stacks.join("\nCaused by: ");
}

/** Frames of the platform's own modules say nothing to the app's author. */
export function withoutOurs(stack: string): string {
  const lines = stack.split("\n");
  return lines.filter((line) => !/^\s+at .*\bignite:(?:guest|main)\.js:/.test(line)).join("\n");
}
