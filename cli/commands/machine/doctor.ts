import type { Command } from "../../command.ts";
import type { Finding, Verdict } from "../../doctor/check.ts";
import type { Colors } from "../../io.ts";

const DEFAULT_PORT = 8787; // As `ignite up` has it

/** `ignite doctor` */
export const command: Command = {
  options: [{ flags: "--port <number>", summary: "port that the platform would take" }],
  details:
    "Says what is off, what that costs, and how to turn it on. Ends with 1 if a check is bad.",
  examples: [
    ["ignite doctor", "look at this machine and the current platform"],
    ["ignite doctor --json", "for scripts"],
  ],
  async run(context, input) {
    const [{ programChecks }, { machineChecks }, { isIgnite, platformFindings }] =
      await Promise.all([
        import("../../doctor/programs.ts"),
        import("../../doctor/machine.ts"),
        import("../../doctor/platform.ts"),
      ]);
    const port = input.number("port", 1) ?? DEFAULT_PORT;
    const answers = () => isIgnite(`http://127.0.0.1:${port}`);
    const checks = [...programChecks, ...machineChecks({ folder: context.cwd, port, answers })];
    const [findings, platform] = await Promise.all([
      Promise.all(checks.map((check) => check())),
      platformFindings(context),
    ]);
    const all = [...findings, ...platform];
    if (all.some(({ verdict }) => verdict === "bad")) context.exitCode = 1;
    context.io.result({ ok: context.exitCode === 0, checks: all }, () =>
      all.map((finding) => lineOf(finding, context.io.colors)).join("\n"),
    );
  },
};

const MARKS: Readonly<Record<Verdict, readonly ["green" | "yellow" | "red", string]>> = {
  good: ["green", "✓"],
  off: ["yellow", "!"],
  bad: ["red", "✗"],
};

function lineOf({ name, verdict, found, means, fix }: Finding, colors: Colors): string {
  const [color, mark] = MARKS[verdict];
  const lines = [`${colors[color](mark)} ${name.padEnd(11)} ${found}`];
  if (means !== "") lines.push(`              ${means}`);
  if (fix !== "") lines.push(`              ${colors.cyan("next:")} ${fix}`);
  return lines.join("\n");
}
