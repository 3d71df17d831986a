import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Reached only when something hangs: a busy machine takes its time. */
const patience = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } };

/** They take long and are short to read, so they would start last and run alone. */
const longest = ["/test/scenario/chaos.test.ts", "/test/unit/hostile/linear.test.ts"];

const isLongest = ({ moduleId }: TestSpecification): boolean =>
  longest.some((name) => moduleId.endsWith(name));

/** Starts the longest files first. The others follow in Vitest's own order: by earlier times, or by size. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = files.filter((file) => !isLongest(file));
    // oxlint-disable-next-line unicorn/no-array-sort -- not an array's
    return [...files.filter(isLongest), ...(await super.sort(others))];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...patience,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [
            "test/page/**",
            "test/scenario/**",
            "test/independent/**",
            "test/cloud/**",
            "test/package/**",
          ],
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
          // Each file runs functions in processes of their own: not beside the other tests, and only a few at once.
          sequence: { groupOrder: 1 },
          isolate: false,
          setupFiles: ["test/support/end-commands.ts"],
          maxWorkers: 3,
          maxConcurrency: 2,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
