/** What the machine itself has to offer. */
import { access, constants, readFile, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { bad, type Check, type Finding, good, off } from "./check.ts";

const OPEN_FILES_MIN = 4_096; // A thousand apps under load
const DISK_BYTES_MIN = 2 * 1024 ** 3; // Blobs, database and package caches of a small team
const CGROUPS = "/sys/fs/cgroup";

async function openFiles(): Promise<Finding> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const count = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
  if (count >= OPEN_FILES_MIN) return good("open files", `${count}`);
  const means = "Many connections at once are refused.";
  return off(
    "open files",
    count > 0 ? `${count}` : "unknown",
    means,
    "Run `ulimit -n 65536` before.",
  );
}

async function cgroups(): Promise<Finding> {
  const means = "Memory of cells is bounded by V8 alone.";
  const fix = "Run as root, or under a systemd unit with Delegate=yes.";
  for (const folder of [CGROUPS, `${CGROUPS}/memory`]) {
    const controllers = await readFile(`${folder}/cgroup.controllers`, "utf8").catch(() => "");
    const has = controllers.includes("memory") || folder.endsWith("memory");
    if (has && (await writable(folder))) return good("cgroups", `${folder} is writable`);
  }
  return off("cgroups", "not writable", means, fix);
}

async function users(): Promise<Finding> {
  if (process.getuid?.() === 0) return good("users", "root: every cell gets a user of its own");
  const means = "Cells run as the user that starts the platform.";
  return off(
    "users",
    `uid ${process.getuid?.() ?? "unknown"}`,
    means,
    "Start `ignite up` as root.",
  );
}

/** Room where the data folder is, or would be. */
function disk(folder: string): Check {
  return async () => {
    const stats = await statfs(folder).catch(() => undefined);
    if (stats === undefined)
      return bad("disk", `${folder} cannot be read`, "Nothing can be kept.", "");
    const free = stats.bavail * stats.bsize;
    const found = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
    if (free >= DISK_BYTES_MIN) return good("disk", found);
    return off("disk", found, "Deploys fail once it is full.", `Make room in ${folder}.`);
  };
}

/** Whether the port can be had, unless Ignite itself has it. */
function port(number: number, answers: () => Promise<boolean>): Check {
  return async () => {
    const name = `port ${number}`;
    if (await answers()) return good(name, "Ignite answers there");
    const free = await new Promise<boolean>((done) => {
      const server = createServer();
      server.once("error", () => done(false));
      server.listen(number, "127.0.0.1", () => server.close(() => done(true)));
    });
    if (free) return good(name, "free");
    const fix = "End that program, or start with `ignite up --port 0`.";
    return bad(name, "another program listens there", "`ignite up` does not start.", fix);
  };
}

/** Checks of the machine. `folder` is where the platform would keep its data. */
export function machineChecks(options: {
  folder: string;
  port: number;
  answers: () => Promise<boolean>;
}): readonly Check[] {
  return [openFiles, cgroups, users, disk(options.folder), port(options.port, options.answers)];
}

function writable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
