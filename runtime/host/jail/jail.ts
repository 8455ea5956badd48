/** The walls around a cell's process. */
import { dieWithParent } from "../programs.ts";
import type { CellClass } from "../cells/cell-class.ts";
import type { Command } from "../workerd-process.ts";

/** What one cell needs of its jail. Paths are absolute. */
export interface JailRequest {
  id: string;
  class: CellClass;
  /** Its sockets. */
  writable: string;
  /** Its configuration. */
  readable: string;
}

/** A jail that is being moved into. */
export interface OpenJail {
  launch: (command: Command) => Command;
  /** Closes what only the start needed. */
  close(): void;
}

/** Builds jails. */
export interface Jail {
  /** What this machine cannot do; empty when cells are fully sandboxed. */
  readonly missing: readonly string[];
  /** Whether the kernel bounds a cell's memory, of whatever kind. */
  readonly boundsMemory: boolean;
  /** The user that the cell runs as, when it is not this process's. */
  ownerOf(id: string): { uid: number; gid: number } | undefined;
  open(request: JailRequest): OpenJail;
  /** How often the kernel killed in this cell for lack of memory. */
  oomKills(id: string): number;
  /** Removes what is left after the cell's process ended. */
  release(id: string): void;
  /** Removes what is left after the last cell. */
  close(): void;
}

/** No walls, for machines that have none to offer. */
export function openAir(missing: readonly string[]): Jail {
  return {
    missing,
    boundsMemory: false,
    ownerOf: () => undefined,
    open: () => ({
      launch: ({ file, args, inherit }) => ({ ...dieWithParent(file, args), inherit }),
      close() {},
    }),
    oomKills: () => 0,
    release() {},
    close() {},
  };
}
