#!/usr/bin/env node
/**
 * Gets a fresh checkout ready: npm packages (Node 24 among them) and the system's programs. Runs
 * before anything is installed, so it is plain JavaScript for Node 20 without imports of packages.
 * Doing it again costs a few milliseconds: a stamp in .ignite/ names the lock file it was done for.
 *
 *   node cli/setup.mjs           what running needs; exit status 1 when packages could not be had
 *   node cli/setup.mjs --dev     also what working on Ignite needs: tests, linters, wrangler
 *   node cli/setup.mjs --check   only print what is missing; exit status 1 when something is
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const startedMs = Date.now();
const forDevelopment = process.argv.includes("--dev");
const stampFile = join(root, ".ignite", "setup.json");
/** Packages whose install scripts put their binary in place; no other script runs. */
const PACKAGES_WITH_SCRIPTS = ["node", "deno", "esbuild", "workerd"];
const BINARIES = ["node/bin/node", "deno/deno", "esbuild/bin/esbuild", "workerd/bin/workerd"];
/** Debian package of each program that the platform looks for, and what is lost without it. */
const PROGRAMS = [
  { name: "haproxy", package: "haproxy", without: "organizations share one process" },
  {
    name: "bwrap",
    package: "bubblewrap",
    without: "nothing is compiled, and cells run without walls",
  },
  { name: "setpriv", package: "util-linux", without: "jails cannot drop to users of their own" },
  { name: "prlimit", package: "util-linux", without: "compiles have no limit of processes" },
];

if (process.argv.includes("--check")) check();
else await setUp();

function check() {
  const missing = [...missingPackages(), ...missingPrograms().map((program) => program.name)];
  for (const name of missing) process.stdout.write(`missing: ${name}\n`);
  if (missing.length === 0) process.stdout.write("everything is installed\n");
  process.exitCode = missing.length === 0 ? 0 : 1;
}

async function setUp() {
  const lock = lockDigest();
  const done = stampOf();
  const current = done.lock === lock && (done.dev === true || !forDevelopment);
  if (!current || missingBinaries().length > 0) {
    if (!installPackages()) {
      process.exitCode = 1;
      return;
    }
    writeStamp({ lock, dev: forDevelopment || (done.dev === true && done.lock === lock) });
  }
  installPrograms();
  await makeSdk();
}

/** The SDK for other projects is no part of the platform, which runs without it. */
async function makeSdk() {
  const { buildSdkPackage } = await import("./sdk-package.mjs");
  try {
    if (await buildSdkPackage(root)) say("ignite/sdk is ready for other projects");
  } catch (error) {
    say(`other projects cannot have ignite/sdk: ${error.message}`);
  }
}

/** Installs what package-lock.json names, unless npm has already done so. */
function installPackages() {
  if (missingPackages().length > 0 && !isInstalled()) {
    say("installing npm packages (about a minute the first time)");
    // Not `npm ci`: that refuses a lock file without the optional packages of other platforms
    const scope = forDevelopment || stampOf().dev === true ? [] : ["--omit=dev"];
    const quiet = ["--no-audit", "--no-fund"];
    if (!npm(["install", "--no-save", "--ignore-scripts", ...quiet, ...scope])) return false;
  }
  if (missingBinaries().length > 0) {
    say(`putting binaries in place: ${PACKAGES_WITH_SCRIPTS.join(", ")}`);
    npm(["rebuild", "--ignore-scripts=false", ...PACKAGES_WITH_SCRIPTS]);
  }
  const missing = missingBinaries();
  if (missing.length > 0) say(`error: npm did not install ${missing.join(", ")}`);
  else say("npm packages are there");
  return missing.length === 0;
}

function npm(words) {
  const { status } = spawnSync("npm", ["--loglevel=error", ...words], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) say(`error: npm ${words[0]} failed; run it by hand: npm ${words.join(" ")}`);
  return status === 0;
}

function missingPackages() {
  return isInstalled() ? missingBinaries() : ["npm packages of package-lock.json"];
}

function missingBinaries() {
  return BINARIES.filter((path) => !isExecutable(join(root, "node_modules", path)));
}

/** Whether npm's own record of node_modules names every package of the lock file that is needed. */
function isInstalled() {
  const wanted = packagesOf("package-lock.json");
  const there = packagesOf(join("node_modules", ".package-lock.json"));
  if (wanted === undefined || there === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === "" ||
      entry.optional === true ||
      (!forDevelopment && (entry.dev === true || entry.devOptional === true)) ||
      there[path]?.version === entry.version,
  );
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** Installs programs as root on Debian and its kin; elsewhere tells once per start how to. */
function installPrograms() {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => program.package))];
  if (process.getuid?.() === 0 && findProgram("apt-get") !== undefined) {
    say(`installing system packages: ${packages.join(", ")}`);
    aptInstall(packages);
  }
  for (const program of missingPrograms())
    say(`without ${program.name}, ${program.without}; install: ${installCommand(program.package)}`);
}

function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (words) => {
    execFileSync("apt-get", ["-qq", ...words], { env, stdio: ["ignore", "ignore", 2] });
  };
  try {
    apt(["update"]);
    apt(["install", "-y", "--no-install-recommends", ...packages]);
    say("system packages are there");
  } catch (error) {
    say(`apt-get did not succeed (status ${error.status}); going on without`);
  }
}

function installCommand(name) {
  return `sudo apt-get update && sudo apt-get install -y ${name}`;
}

function missingPrograms() {
  if (process.platform !== "linux") return [];
  return PROGRAMS.filter((program) => findProgram(program.name) === undefined);
}

function findProgram(name) {
  const folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
  const searched = [...(process.env.PATH ?? "").split(delimiter), ...folders];
  return searched.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function lockDigest() {
  const lock = readFileSync(join(root, "package-lock.json"));
  return createHash("sha256").update(lock).digest("hex");
}

function stampOf() {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch {
    return {};
  }
}

function writeStamp(stamp) {
  mkdirSync(join(root, ".ignite"), { recursive: true });
  writeFileSync(stampFile, `${JSON.stringify(stamp)}\n`);
}

function say(message) {
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`${seconds} s  set-up: ${message}\n`);
}
