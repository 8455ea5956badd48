#!/usr/bin/env node
/**
 * Starts the command line fast, with whatever Node runs this (20 or newer). The sources are
 * bundled into dist/cli once per change, since stripping types from a hundred modules would cost
 * more than most commands do. Commands that run the platform need Node 24 and run from the sources.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundledMain } from "./bundle.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const FROM_SOURCES = new Set(["up", "dev", "backend"]);
const words = process.argv.slice(2);
module.enableCompileCache?.(join(root, "dist", "compile-cache")); // From Node 22 on

if (words[0] === "--version" || words[0] === "-V") {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  process.stdout.write(`${version}\n`);
} else {
  const bundle = words.some((word) => FROM_SOURCES.has(word)) ? undefined : await bundledMain(root);
  if (bundle === undefined) await runSources();
  else await import(pathToFileURL(bundle).href);
}

/** Runs cli/main.ts in a Node that strips types: this one, or the one of the npm package. */
async function runSources() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return import("./main.ts");
  const own = join(root, "node_modules", "node", "bin", "node");
  if (!existsSync(own)) return fail(`Node 24 is needed, and ${own} is not there. Run npm install.`);
  const main = join(root, "cli", "main.ts");
  const child = spawn(own, ["--disable-warning=ExperimentalWarning", main, ...words], {
    stdio: "inherit",
  });
  // A terminal sends Ctrl-C to both of us; sent twice, it would mean "at once"
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  child.on("error", (error) => fail(`Node 24 could not be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exitCode = 1;
}
