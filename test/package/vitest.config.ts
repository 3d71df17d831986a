import { defineConfig } from "vitest/config";

/** `npm run test:package`: needs the npm registry, and two to three minutes on an idle machine. */
export default defineConfig({
  test: {
    name: "package",
    include: ["test/package/**/*.test.ts"],
    reporters: ["verbose"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
