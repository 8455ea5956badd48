import { expect, test } from "vitest";
import { testControl } from "../../testing/control.ts";

interface Readiness {
  ready: boolean;
  components: { name: string; isHealthy: boolean; message: string }[];
}

test("/readyz says what the edge lacks to shut guests in", async () => {
  const control = await testControl();
  control.script.sandbox = { sandboxed: false, missing: ["cgroups", "seccomp"] };
  const response = await control.fetch("/readyz");
  const { ready, components } = (await response.json()) as Readiness;
  expect(ready).toBe(true);
  expect(components).toContainEqual({
    name: "edge",
    isHealthy: true,
    message: "unsandboxed; missing: cgroups, seccomp",
  });
});

test("/readyz says how the compiler is", async () => {
  const control = await testControl();
  const compiler = async () => {
    const { components } = (await (await control.fetch("/readyz")).json()) as Readiness;
    return components.find(({ name }) => name === "compiler");
  };
  expect(await compiler()).toMatchObject({ isHealthy: true, message: "" });
  control.script.compiler = { state: "ready", sandboxed: false, why: "bwrap is not installed" };
  const weak = { isHealthy: true, message: "unsandboxed; bwrap is not installed" };
  expect(await compiler()).toMatchObject(weak);
  control.script.compiler = { state: "failed", sandboxed: false, why: "no deno" };
  expect(await compiler()).toMatchObject({ isHealthy: false, message: "no deno" });
});

test("/readyz waits for no part that is silent", async () => {
  const control = await testControl();
  const { ports } = control;
  const never = () => new Promise<never>(() => {});
  ports.stores.ping = never;
  ports.edge.sandbox = never;
  ports.examineRegion = never;
  const response = await control.fetch("/readyz");
  expect(response.status).toBe(503);
  const { components } = (await response.json()) as Readiness;
  expect(components.map(({ isHealthy }) => isHealthy)).toEqual([false, false, false, false]);
});

test("/readyz is 503 without the store", async () => {
  const control = await testControl();
  control.ports.stores.ping = () => Promise.reject(new Error("gone"));
  const response = await control.fetch("/readyz");
  expect(response.status).toBe(503);
  expect(((await response.json()) as Readiness).ready).toBe(false);
});
