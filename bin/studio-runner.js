#!/usr/bin/env node
import { existsSync } from "node:fs";

// A checkout has the sources, the npm package what was built from them.
const source = new URL("../cli/main.ts", import.meta.url);
await import(existsSync(source) ? source.href : new URL("../dist/cli/main.js", import.meta.url).href);
