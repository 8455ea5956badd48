/**
 * The natives that our guest code relies on, taken before the app's own code runs. An app may
 * replace what it finds in its globals afterwards; that changes what it sees, not what we do.
 */

/** Writes one line to the cell's stdout, at once. */
export const writeLine: (line: string) => void = console.log.bind(console);
export const nowMs: () => number = Date.now.bind(Date);
export const toJson: (value: unknown) => string = JSON.stringify.bind(JSON);
