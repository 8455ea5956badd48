/** Text that guests and callers chose, as it can be stored. */

/** Shows NUL as its picture: libSQL's driver cuts text off there when it reads. */
export function readable(text: string): string {
  return text.replaceAll("\0", "\u2400");
}
