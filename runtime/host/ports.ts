/** What the edge host needs of the parts beside it; the composition root brings them. */

/** The way out of the cells: a process of its own that resolves, filters and connects. */
export interface EgressPort {
  /** Listens at `socketPath` for one cell. Rejects when it cannot. */
  open(cellId: string, socketPath: string): Promise<void>;
  /** Stops listening for that cell. */
  close(cellId: string): Promise<void>;
}

/** An edge without a way out, for tests and for hosts that must have none. */
export const noEgress: EgressPort = {
  async open() {},
  async close() {},
};
