/**
 * Shell completion. The script of a shell calls `ignite complete -- <words>` at each Tab, which is
 * answered from the command table.
 */
import type { CommandEntry } from "./command.ts";
import type { Io } from "./io.ts";
import { buildProgram } from "./program.ts";

/** Runs `completion <shell>` or `complete -- <words>`; prints on stdout. */
export async function complete(
  table: readonly CommandEntry[],
  io: Io,
  words: readonly string[],
): Promise<void> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  const entries = table.filter(({ name }) => name !== "completion"); // The library adds its own
  const loaded = await Promise.all(
    entries.map(async (entry) => [entry, (await entry.load()).command] as const),
  );
  const commands = new Map(loaded);
  const program = buildProgram(entries, io, (entry) => commands.get(entry));
  shorten(program);
  tab(program, { completionCommandName: "completion" });
  await program.parseAsync([...words], { from: "user" });
}

/** Shells show one line for each command. */
function shorten(node: ReturnType<typeof buildProgram>): void {
  node.description(node.summary());
  node.commands.forEach(shorten);
}
