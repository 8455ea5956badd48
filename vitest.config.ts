/**
 * Three projects: `style` reads the sources, `unit` runs what lies beside them, `e2e` starts the
 * whole platform, one file at a time so that its timings mean something.
 */
import { defineConfig } from "vitest/config";

const everywhere = ["**/node_modules/**", "**/dist/**", "**/.ignite/**", "cli/templates/**"];
const endToEnd = ["test/{e2e,examples,security,conformance,perf}/**/*.test.ts"];

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    expect: { poll: { timeout: 15_000 } }, // Machines that run tests are slow at times
    projects: [
      {
        extends: true,
        test: { name: "style", include: ["test/style/**/*.test.ts"], testTimeout: 120_000 },
      },
      {
        extends: true,
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...everywhere, ...endToEnd, "test/style/**"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: endToEnd,
          exclude: everywhere,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
