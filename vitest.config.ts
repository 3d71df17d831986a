import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/page/**", "test/scenario/**", "test/independent/**"],
        },
      },
      { test: { name: "page", include: ["test/page/**/*.test.ts"] } },
      {
        test: {
          name: "scenario",
          include: ["test/scenario/**/*.test.ts", "test/independent/**/*.test.ts"],
          globalSetup: ["test/support/build-once.ts"],
          // Each file runs functions in processes of their own, and some measure time: not beside the other tests, and
          // only a few at once.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          maxConcurrency: 2,
          // Reached only when something hangs: a busy machine takes its time.
          testTimeout: 100_000,
          hookTimeout: 100_000,
        },
      },
    ],
  },
});
