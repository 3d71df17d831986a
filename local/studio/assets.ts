import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve, sep } from "node:path";
import { type Answer, decode, Refusal } from "./http.ts";

const pageFolder = join(import.meta.dirname, "page");

const mimeTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/**
 * Vendor files, served under exact names. `file` is relative to the folder of the package's main file, because no
 * package's `exports` contains it.
 */
const vendorFiles: Readonly<Record<string, { readonly package: string; readonly file: string }>> = {
  // The UMD build, which sets `globalThis.Chart`. The ES build is split and imports another package by its
  // bare name.
  "vendor/chart.js": { package: "chart.js", file: "chart.umd.min.js" },
  "vendor/fflate.js": { package: "fflate", file: "../esm/browser.js" },
  "vendor/marked.js": { package: "marked", file: "marked.esm.js" },
  "vendor/purify.js": { package: "dompurify", file: "purify.es.mjs" },
};

/**
 * Reads a file of the page, or a vendor file. `path` is the part after `/page/`, still escaped.
 * @throws Refusal 404, also for a path outside the page's folder
 */
export async function readAsset(path: string): Promise<Answer> {
  const file = assetFile(path);
  const body = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (file === undefined || body === undefined) throw new Refusal(404, "there is no such file");
  const type = mimeTypes[extname(file)] ?? "application/octet-stream";
  return { status: 200, headers: { "content-type": type, "cache-control": "no-cache" }, body };
}

function assetFile(path: string): string | undefined {
  const vendor = vendorFiles[path];
  if (vendor !== undefined) {
    const main = createRequire(import.meta.url).resolve(vendor.package);
    return join(dirname(main), vendor.file);
  }
  const name = decode(path);
  if (name === undefined || name.includes("\0")) return undefined;
  const file = resolve(pageFolder, name);
  return file.startsWith(pageFolder + sep) ? file : undefined;
}
