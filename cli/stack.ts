/**
 * The part of a stack below its message. Engines begin a stack with the error's name and message,
 * which stand beside it already wherever a stack is shown.
 */
export function stackBelow(message: string, stack: string): string {
  const [first = ""] = stack.split("\n");
  const at = message.indexOf(first);
  const head = at < 0 ? undefined : message.slice(at);
  if (head === undefined || head === "" || !stack.startsWith(head)) return stack;
  return stack.slice(head.length).replace(/^\n/, "");
}
