import { defineConfig } from "vitest/config";

/** `npm run test:cloud`: one test after the other, each on what the one before it left. */
export default defineConfig({
  test: {
    name: "cloud",
    include: ["test/cloud/**/*.test.ts"],
    reporters: ["verbose"],
    bail: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
