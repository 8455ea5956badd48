/** A command line that cannot be meant so. Exit 2, with the way to the help. */
export class UsageError extends Error {
  /** Another command to be looked up, if not the one that ran. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "UsageError";
    this.hint = hint;
  }
}
