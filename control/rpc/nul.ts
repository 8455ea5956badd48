/**
 * The path of the first text in a message that has a NUL character; undefined when none has. No
 * field means anything by one, the database cuts texts off there, and so do programs that are
 * given them.
 */
export function findNul(value: unknown): string | undefined {
  return search(value, [])?.join(".");
}

function search(value: unknown, path: readonly string[]): readonly string[] | undefined {
  if (typeof value === "string") return value.includes("\0") ? path : undefined;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    if (name.includes("\0")) return path; // A key of a map
    const found = search(inner, [...path, ...pathOf(name, value)]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How a property is called in the proto; what stands for the choice of a oneof is not in it. */
function pathOf(name: string, parent: object): string[] {
  if ("case" in parent && name === "value") return [String(parent.case)];
  return [name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}
