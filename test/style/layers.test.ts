/** Who may import whom. */
import { expect, test } from "vitest";
import { expectOnlyExceptions } from "./exceptions.ts";
import { isTest, type Source, sources } from "./sources.ts";

/** What a folder may import of the others. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  proto: [],
  compiler: ["core", "proto"],
  runtime: ["core", "proto"],
  control: ["core", "proto"],
  sdk: ["proto"],
  region: ["core", "proto", "compiler", "runtime"],
  cli: ["core", "proto", "sdk", "control", "compiler", "runtime", "region"], // Composition root
  console: ["sdk"],
};

/** Where `node:` may be imported. */
const NODE_FOLDERS = /^(compiler|runtime\/host|region|cli|proto|test)\/|^[^/]+\.ts$/;
const NEVER_NODE = /\.worker\.ts$|^proto\/gen\//;
/** What workerd has without Node's compatibility. */
const NODE_IN_WORKERS = new Set(["node:async_hooks"]);

/** Layers of a control plane request; a folder may import those after it. */
const CONTROL_EDGES = ["rpc", "http", "tasks"];
const CONTROL_ADAPTERS = ["store", "clients"];

const production = sources.filter(({ path }) => !isTest(path));

test("folders import only what they may", () => {
  const findings = production.flatMap((source) => {
    const own = folderOf(source.path);
    const allowed = MAY_IMPORT[own];
    if (allowed === undefined) return [];
    return filesOf(source)
      .filter((file) => folderOf(file) !== own && !allowed.includes(folderOf(file)))
      .map((file) => `${source.path} → ${file}`);
  });
  expectOnlyExceptions("layers", findings);
});

test("every folder with sources has its line in the table", () => {
  const folders = new Set(production.map(({ path }) => folderOf(path)).filter(isFolder));
  expect([...folders].filter((folder) => MAY_IMPORT[folder] === undefined)).toEqual([]);
});

test("node: is imported only where there is Node", () => {
  const findings = production.flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier }) => specifier.startsWith("node:") && !NODE_IN_WORKERS.has(specifier))
      .filter(() => !NODE_FOLDERS.test(path) || NEVER_NODE.test(path))
      .map(({ specifier }) => `${path} → ${specifier}`),
  );
  expectOnlyExceptions("node imports", findings);
});

test("in control, edges call operations, operations call ports, adapters implement them", () => {
  const forbidden = (from: string, to: string) => {
    if (from === "operations") return [...CONTROL_EDGES, ...CONTROL_ADAPTERS, "db"].includes(to);
    if (CONTROL_EDGES.includes(from)) return [...CONTROL_ADAPTERS, "db"].includes(to);
    if (CONTROL_ADAPTERS.includes(from)) {
      return [...CONTROL_EDGES, ...CONTROL_ADAPTERS, "operations"].includes(to) && to !== from;
    }
    return false;
  };
  const findings = production.flatMap((source) =>
    filesOf(source)
      .filter((file) => forbidden(controlLayerOf(source.path), controlLayerOf(file)))
      .map((file) => `${source.path} → ${file}`),
  );
  expectOnlyExceptions("adapters", findings);
});

test("no file imports itself, also not by others", () => {
  const targets = new Map(sources.map((source) => [source.path, filesOf(source)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push(cycleOf(trail.slice(at)));
    if (at >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) walk(path, []);
  expectOnlyExceptions("cycles", cycles);
});

/** The same text wherever the walk entered it. */
function cycleOf(paths: readonly string[]): string {
  const first = paths.indexOf(paths.toSorted()[0] ?? "");
  const turned = [...paths.slice(first), ...paths.slice(0, first)];
  return [...turned, turned[0]].join(" → ");
}

function filesOf({ imports }: Source): string[] {
  return imports.flatMap(({ file }) => file ?? []);
}

function folderOf(path: string): string {
  return path.split("/")[0] ?? "";
}

function isFolder(name: string): boolean {
  return !name.includes(".");
}

function controlLayerOf(path: string): string {
  return /^control\/([^/]+)\//.exec(path)?.[1] ?? "";
}
