/**
 * The cells of this machine. A few blank ones stand ready; a group of apps that is called for the
 * first time is given one of them, for as long as the cell lives, because what ran for one
 * organization must never run for another. A cell that is lost or worn out is succeeded by a
 * fresh one, which takes over before the old one drains.
 */
import { assert } from "../../../core/assert.ts";
import type { Clock } from "../../../core/clock.ts";
import { IgniteError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { openGroup } from "../groups.ts";
import type { WorkerdExit } from "../workerd-process.ts";
import type { Cell, NewCell } from "./cell.ts";
import { type CellClass, cellClassFor } from "./cell-class.ts";

/** What the pool is told and tells. */
export interface PoolOptions {
  slots: readonly string[];
  /** Blank cells kept ready. */
  spares: number;
  clock: Clock;
  log: Log;
  /** Starts a cell in a free slot. */
  start(cell: NewCell): Promise<Cell>;
  /** The class that a group's apps need. */
  classOf(group: string): CellClass;
  /** The cell that serves a group from now on; undefined when there is none for the moment. */
  onServing(group: string, cell: Cell | undefined): Promise<void>;
  /** A cell ended without being asked to. */
  onLost(cell: Cell, exit: WorkerdExit): void;
  /** Whether requests run in it, as far as is known. */
  isBusy(cell: Cell): boolean;
  /** A cell that drains was asked for its last records and is about to end. */
  onRetiring(cell: Cell): Promise<void>;
}

const START_PAUSE_MS = 250;
const GIVE_UP_DRAIN_MS = 5_000; // For what began since it was seen idle
const BLANK_CLASS = cellClassFor(0);

/** The cells by slot and by group. */
export class CellPool {
  readonly #options: PoolOptions;
  readonly #cells = new Map<string, Cell>();
  readonly #serving = new Map<string, Cell>();
  readonly #assigning = new Map<string, Promise<Cell>>();
  readonly #lastUsedMs = new Map<string, number>();
  /** Slots that are free, the one that has been free longest first. */
  readonly #free: string[];
  /** Whose the other slots are. */
  readonly #holders = new Map<string, Cell>();
  /** Cells that are being ended, with the time when they have to be idle. */
  readonly #retiring = new Map<Cell, { deadlineMs: number; ended: Promise<void> }>();
  #closed = false;
  #filling: Promise<void> | undefined;
  #lost = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#free = [...options.slots];
  }

  /** Starts the blank cells. Rejects when the first one does not start. */
  async open(): Promise<void> {
    if (this.#options.spares > 0) await this.#startBlank();
    this.#fill();
  }

  /** All cells that run, blank and draining ones too. */
  get cells(): readonly Cell[] {
    return Array.from(this.#cells.values());
  }

  /** How many cells ended without being asked to. */
  get lost(): number {
    return this.#lost;
  }

  /** The cell that serves the group now. */
  serving(group: string): Cell | undefined {
    return this.#serving.get(group);
  }

  /** The cell that serves the group, assigned now if there was none. Fails with OVERLOADED. */
  async cellFor(group: string): Promise<Cell> {
    this.#lastUsedMs.set(group, this.#options.clock.nowMs());
    const serving = this.#serving.get(group);
    if (serving !== undefined) return serving;
    return this.#assigning.get(group) ?? this.#assign(group);
  }

  /** Notes that a group was called, so that its cell is not the next to be given up. */
  touch(group: string): void {
    this.#lastUsedMs.set(group, this.#options.clock.nowMs());
  }

  /** Ends the cells of groups that were not called for this long. */
  async retireIdle(idleMsMax: number): Promise<void> {
    const beforeMs = this.#options.clock.nowMs() - idleMsMax;
    for (const [group, cell] of Array.from(this.#serving)) {
      if (this.#usedMs(group) >= beforeMs || group.startsWith(openGroup)) continue;
      await this.#giveUp(group, cell);
    }
  }

  /** Gives the cell's group a fresh cell, which serves when the promise is fulfilled. */
  async takeOver(cell: Cell): Promise<void> {
    const { group } = cell;
    if (group === undefined || this.#serving.get(group) !== cell) return;
    await (this.#assigning.get(group) ?? this.#assign(group));
  }

  /** {@link takeOver}, then {@link retire}. */
  async replace(cell: Cell, drainTimeoutMs: number): Promise<void> {
    await this.takeOver(cell);
    await this.retire(cell, drainTimeoutMs);
  }

  /** As {@link replace}, by id, without waiting for the drain; false when there is none. */
  async renew(id: string, drainTimeoutMs = 0): Promise<boolean> {
    const cell = this.#holders.get(id);
    if (cell === undefined) return false;
    await this.takeOver(cell);
    void this.retire(cell, drainTimeoutMs);
    return true;
  }

  /** Nobody listens where a cell should: its group gets another. */
  onUnreachable(id: string): void {
    void this.renew(id).catch((error: unknown) => {
      const { message } = IgniteError.from(error);
      this.#options.log.error("a cell that cannot be reached stays", { cell: id, reason: message });
    });
  }

  /** Takes a blank cell for a trial; the caller retires it, or has it adopted. */
  async takeBlank(cellClass: CellClass): Promise<Cell> {
    return this.#claim(cellClass, true);
  }

  /** Lets a cell that was taken for a trial serve a group that has none; false when it has. */
  async adopt(cell: Cell, group: string): Promise<boolean> {
    const isTaken = this.#serving.has(group) || this.#assigning.has(group);
    if (isTaken || cell.group !== undefined || this.#cells.get(cell.id) !== cell) return false;
    await this.#give(cell, group);
    return true;
  }

  /** Ends a cell: at once when idle, else when its requests are done or the time is up. */
  async retire(cell: Cell, drainTimeoutMs: number): Promise<void> {
    const deadlineMs = this.#options.clock.nowMs() + drainTimeoutMs;
    const known = this.#retiring.get(cell);
    if (known !== undefined) {
      known.deadlineMs = Math.min(known.deadlineMs, deadlineMs);
      return known.ended;
    }
    const ended = this.#end(cell).finally(() => this.#retiring.delete(cell));
    this.#retiring.set(cell, { deadlineMs, ended });
    return ended;
  }

  async #end(cell: Cell): Promise<void> {
    cell.claimed = true;
    await cell.admin.drain().catch(() => {});
    const hasTime = () => this.#options.clock.nowMs() < (this.#retiring.get(cell)?.deadlineMs ?? 0);
    while (hasTime() && (await hasRequests(cell))) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.#options.onRetiring(cell).catch(() => {});
    this.#forget(cell);
    await cell.process.stop();
    await this.#release(cell);
  }

  /** Drains and ends all cells. */
  async close(drainTimeoutMs: number): Promise<void> {
    this.#closed = true;
    await this.#filling;
    await Promise.all(this.cells.map((cell) => this.retire(cell, drainTimeoutMs)));
    await Promise.all(Array.from(this.#retiring.values(), ({ ended }) => ended));
  }

  async #assign(group: string): Promise<Cell> {
    const assigning = this.#take(group).finally(() => this.#assigning.delete(group));
    this.#assigning.set(group, assigning);
    return assigning;
  }

  async #take(group: string): Promise<Cell> {
    const cellClass = this.#options.classOf(group);
    const cell = await this.#claim(cellClass, false);
    await this.#give(cell, group);
    return cell;
  }

  async #give(cell: Cell, group: string): Promise<void> {
    assert(cell.group === undefined, "a cell is given to one group only");
    cell.group = group;
    this.#serving.set(group, cell);
    this.#lastUsedMs.set(group, this.#options.clock.nowMs());
    await this.#options.onServing(group, cell);
  }

  /** A blank cell of at least this size, for the caller alone. */
  async #claim(cellClass: CellClass, forTrial: boolean): Promise<Cell> {
    const ready = this.cells.find(
      (cell) => !cell.claimed && cell.class.memoryMb >= cellClass.memoryMb,
    );
    if (ready === undefined) return this.#start(cellClass, { claimed: true, forTrial });
    ready.claimed = true;
    this.#fill();
    return ready;
  }

  #fill(): void {
    this.#filling ??= this.#startSpares().finally(() => {
      this.#filling = undefined;
    });
  }

  async #startSpares(): Promise<void> {
    while (!this.#closed && this.#blankCount() < this.#options.spares && this.#free.length > 0) {
      try {
        await this.#startBlank();
      } catch (error) {
        const { message } = IgniteError.from(error);
        this.#options.log.error("a cell did not start", { reason: message });
        await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
      }
    }
  }

  #blankCount(): number {
    return this.cells.filter((cell) => !cell.claimed).length;
  }

  async #startBlank(): Promise<void> {
    await this.#start(BLANK_CLASS, { claimed: false, forTrial: false });
  }

  async #start(
    cellClass: CellClass,
    { claimed, forTrial }: { claimed: boolean; forTrial: boolean },
  ): Promise<Cell> {
    const id = await this.#freeSlot();
    try {
      const cell = await this.#options.start({ id, cellClass, forTrial });
      cell.claimed = claimed;
      this.#holders.set(id, cell);
      this.#cells.set(id, cell);
      void cell.process.exited.then((exit) => this.#onExit(cell, exit));
      return cell;
    } catch (error) {
      this.#free.push(id);
      throw error;
    }
  }

  /** A slot: a free one, or that of the idle group that was called least recently. */
  async #freeSlot(): Promise<string> {
    for (;;) {
      const id = this.#free.shift();
      if (id !== undefined) return id;
      const [oldest] = Array.from(this.#serving)
        .filter(([, cell]) => !this.#options.isBusy(cell))
        .toSorted(([a], [b]) => this.#usedMs(a) - this.#usedMs(b));
      if (oldest === undefined) throw noRoom();
      await this.#giveUp(...oldest);
    }
  }

  /** Ends the cell of a group, which has none then. */
  async #giveUp(group: string, cell: Cell): Promise<void> {
    this.#serving.delete(group);
    await this.#options.onServing(group, undefined);
    await this.retire(cell, GIVE_UP_DRAIN_MS);
  }

  #usedMs(group: string): number {
    return this.#lastUsedMs.get(group) ?? 0;
  }

  #onExit(cell: Cell, exit: WorkerdExit): void {
    if (this.#cells.get(cell.id) !== cell) return;
    const { group } = cell;
    const wasServing = group !== undefined && this.#serving.get(group) === cell;
    this.#forget(cell);
    const released = this.#release(cell);
    if (this.#closed) return;
    this.#lost += 1;
    if (wasServing) this.#succeed(group);
    this.#options.onLost(cell, exit);
    void released.then(() => this.#fill());
  }

  /** Gives the group of a lost cell its next one, so that no caller waits for it. */
  #succeed(group: string): void {
    void this.#options
      .onServing(group, undefined)
      .then(() => this.cellFor(group))
      .catch((error: unknown) => {
        this.#options.log.error("a group has no cell", {
          group,
          reason: IgniteError.from(error).message,
        });
      });
  }

  #forget(cell: Cell): void {
    this.#cells.delete(cell.id);
    if (cell.group !== undefined && this.#serving.get(cell.group) === cell) {
      this.#serving.delete(cell.group);
    }
  }

  /** Frees the cell's slot, once nothing of the cell is left in it. */
  async #release(cell: Cell): Promise<void> {
    await cell.ended;
    if (this.#holders.get(cell.id) !== cell) return;
    this.#holders.delete(cell.id);
    this.#free.push(cell.id);
  }
}

async function hasRequests(cell: Cell): Promise<boolean> {
  try {
    return (await cell.admin.drain()) > 0;
  } catch {
    return false;
  }
}

function noRoom(): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason: "OVERLOADED",
    message: "No more apps can be started on this machine at the moment.",
    hint: "Try again later.",
  });
}
