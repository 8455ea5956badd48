import type { ArgumentSpec } from "../../command.ts";

/** The app that a command is about. */
export const appArgument: ArgumentSpec = {
  name: "app",
  summary: "org/app, or the app alone (default: the app of this folder)",
  optional: true,
};
