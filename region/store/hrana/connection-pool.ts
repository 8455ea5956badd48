/** Connections that are not in use, kept open since opening one costs a few statements' time. */
import { Connection } from "./connection.ts";

const IDLE_MAX = 8; // Requests run one at a time; more are only in use by open transactions

/** Hands out connections to one database file. */
export class ConnectionPool {
  readonly #path: string;
  readonly #idle: Connection[] = [];
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** A connection without a transaction. */
  take(): Connection {
    return this.#idle.pop() ?? new Connection(this.#path);
  }

  /** Takes a connection back; an open transaction is rolled back. */
  give(connection: Connection): void {
    const isKept = connection.reset() && !this.#closed && this.#idle.length < IDLE_MAX;
    if (isKept) this.#idle.push(connection);
    else connection.close();
  }

  /** Closes what is idle, and from now on whatever comes back. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** Moves the write-ahead log into the file, so that the file alone is the database. */
  checkpoint(): void {
    const connection = this.take();
    try {
      connection.sequence("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      connection.close();
    }
  }
}
