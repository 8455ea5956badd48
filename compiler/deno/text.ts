/** Looking at code without parsing it. */

const TOKEN =
  /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\$])*`|\/\*[\s\S]*?\*\/|(?<![:\\])\/\/[^\n]*/g;

/** Comments, and with `texts` string literals too, become blanks, so that places stay. */
export function blankOut(code: string, what: "comments" | "comments and texts"): string {
  return code.replace(TOKEN, (found) =>
    what === "comments" && !found.startsWith("/") ? found : found.replace(/[^\n]/g, " "),
  );
}
