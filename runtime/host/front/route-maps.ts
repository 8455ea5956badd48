/**
 * The maps of the front: which group a host belongs to, and which cell a group runs in. This
 * process holds the truth; HAProxy holds a copy that it reads from files when it starts and that
 * commands change afterwards.
 */
import { rename, writeFile } from "node:fs/promises";
import { assert } from "../../../core/assert.ts";
import { askHaproxy } from "./admin-socket.ts";

/** A map file, and its name in commands. */
export interface RouteMap {
  /** Takes effect when the promise is settled. An undefined value removes the key. */
  set(key: string, value: string | undefined): Promise<void>;
  get(key: string): string | undefined;
  readonly size: number;
  /** Writes the file that HAProxy reads at its start. */
  save(): Promise<void>;
}

const TOKEN = /^[A-Za-z0-9@/._*!-]{1,300}$/; // No spaces, no `;`: nothing can become a command

/** A map at `file`; changes go to HAProxy at `adminSocket()` once that answers a path. */
export function routeMap(file: string, adminSocket: () => string | undefined): RouteMap {
  const entries = new Map<string, string>();
  let sending: Promise<void> = Promise.resolve();
  const send = (command: string): Promise<void> => {
    const result = sending.then(async () => {
      const socket = adminSocket();
      if (socket !== undefined) await askHaproxy(socket, command);
    });
    sending = result.catch(() => {}); // A front that is down reads the files when it comes back
    return result;
  };
  return {
    get: (key) => entries.get(key),
    get size() {
      return entries.size;
    },
    async set(key, value) {
      assert(TOKEN.test(key), `"${key}" cannot be a map key`);
      if (entries.get(key) === value) return sending;
      const known = entries.has(key);
      if (value === undefined) {
        entries.delete(key);
        return send(`del map ${file} ${key}`);
      }
      assert(TOKEN.test(value), `"${value}" cannot be a map value`);
      entries.set(key, value);
      await send(`${known ? "set" : "add"} map ${file} ${key} ${value}`);
    },
    async save() {
      const text = Array.from(entries, ([key, value]) => `${key} ${value}\n`).join("");
      await writeFile(`${file}.new`, text, { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
  };
}
