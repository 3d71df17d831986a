#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";

// This file runs in any Node, to say which one the rest needs.
const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const oldest = engines.node.replace(">=", "");
if (process.versions.node.localeCompare(oldest, "en", { numeric: true }) < 0) {
  console.error(`Error: studio-runner needs Node ${oldest} or newer, and this is ${process.versions.node}.
Install Node 24, which the functions run on too.`);
  process.exit(2);
}

// A checkout has the sources, the npm package what was built from them.
const source = new URL("../cli/main.ts", import.meta.url);
await import(existsSync(source) ? source.href : new URL("../dist/cli/main.js", import.meta.url).href);
