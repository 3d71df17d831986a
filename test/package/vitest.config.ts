import { defineConfig } from "vitest/config";

/** `npm run test:package`: needs the npm registry, and takes two to three minutes. */
export default defineConfig({
  test: {
    name: "package",
    include: ["test/package/**/*.test.ts"],
    reporters: ["verbose"],
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
