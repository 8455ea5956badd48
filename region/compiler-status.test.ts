import { expect, test } from "vitest";
import { IgniteError } from "../core/errors.ts";
import { watchedCompiler } from "./compiler-status.ts";

const toolchain = (sandbox: Parameters<typeof withSandbox>[0]) => async () => withSandbox(sandbox);

function withSandbox(
  sandbox: { kind: "jailed" } | { kind: "unsandboxed" | "refused"; why: string },
) {
  return { toolchain: { sandbox } };
}

test("status() says whether the compiler is ready and walled in", async () => {
  const jailed = watchedCompiler(toolchain({ kind: "jailed" }));
  expect(jailed.status().state).toBe("preparing");
  await jailed.prepare();
  expect(jailed.status()).toEqual({ state: "ready", sandboxed: true, why: "" });
  const open = watchedCompiler(toolchain({ kind: "unsandboxed", why: "no bwrap" }));
  await open.prepare();
  expect(open.status()).toEqual({ state: "ready", sandboxed: false, why: "no bwrap" });
  const refused = watchedCompiler(toolchain({ kind: "refused", why: "no bwrap" }));
  await refused.prepare();
  expect(refused.status()).toEqual({ state: "failed", sandboxed: false, why: "no bwrap" });
});

test("status() says why there is no compiler, until a later try succeeds", async () => {
  let fails = true;
  const compiler = watchedCompiler(async () => {
    if (!fails) return withSandbox({ kind: "jailed" });
    throw new IgniteError({ code: "unavailable", reason: "TOOL_MISSING", message: "no deno" });
  });
  await expect(compiler.prepare()).rejects.toMatchObject({ reason: "TOOL_MISSING" });
  expect(compiler.status()).toEqual({ state: "failed", sandboxed: false, why: "no deno" });
  fails = false;
  await compiler.prepare();
  expect(compiler.status().state).toBe("ready");
});
