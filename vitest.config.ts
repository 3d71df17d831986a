import { defineConfig } from "vitest/config";

/** Reached only when something hangs: a busy machine takes its time. */
const patience = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...patience,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/page/**", "test/scenario/**", "test/independent/**", "test/cloud/**"],
          globalSetup: ["test/support/temporary-root.ts"],
          // A process and a copy of every package for each file would take most of the time.
          isolate: false,
          maxWorkers: 2,
        },
      },
      { test: { ...patience, name: "page", include: ["test/page/**/*.test.ts"], maxWorkers: 2 } },
      {
        test: {
          ...patience,
          name: "scenario",
          include: ["test/scenario/**/*.test.ts", "test/independent/**/*.test.ts"],
          globalSetup: ["test/support/build-once.ts"],
          // Each file runs functions in processes of their own: not beside the other tests, and only a few at once. They
          // wait more than they work.
          sequence: { groupOrder: 1 },
          maxWorkers: 3,
          maxConcurrency: 2,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
