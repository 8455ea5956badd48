/**
 * Text that strangers wrote, for a terminal: apps log what their callers send, and a terminal obeys
 * what it is sent. Line ends and tabs stay; other control characters, and those that turn the
 * direction of writing, are shown by their numbers, in a form that leaves JSON what it is.
 */
export function printable(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(COMMANDS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The same for all that is printed, which may have colours. */
export function printableOutput(text: string): string {
  const parts = text.split(COLORS);
  return parts.map((part, at) => (at % 2 === 0 ? printable(part) : part)).join("");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const COMMANDS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes start with ESC
const COLORS = /(\u001b\[[0-9;]*m)/;
