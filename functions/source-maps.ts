import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";

/**
 * Injected into every bundle (infra/bundle.ts): stack traces show our sources. Node's `--enable-source-maps` does the same
 * and parses the whole map at each cold start; here it is parsed with the first stack that somebody reads.
 */
const mapOf = readOnce((bundle) => new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, "utf8"))));

function readOnce(read: (bundle: string) => SourceMap): (bundle: string) => SourceMap {
  let map: SourceMap | undefined;
  return (bundle) => (map ??= read(bundle));
}

function sourceOf(bundle: string, line: number, column: number): string | undefined {
  const entry = mapOf(bundle).findEntry(line - 1, column - 1);
  if (!("originalSource" in entry)) return undefined;
  return `${entry.originalSource.replace(/^(\.\.\/)+/, "")}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
}

// oxlint-disable-next-line typescript/no-base-to-string -- a CallSite's text is its line of the trace
const textOf = (site: NodeJS.CallSite): string => site.toString();

function lineOf(site: NodeJS.CallSite): string {
  const [file, line, column] = [site.getFileName(), site.getLineNumber(), site.getColumnNumber()];
  const text = textOf(site);
  if (file !== __filename || line === null || column === null) return text;
  const source = sourceOf(file, line, column);
  return source === undefined ? text : text.replace(`${file}:${line}:${column}`, source);
}

Error.prepareStackTrace = (error, sites) => {
  try {
    return [String(error), ...sites.map((site) => `    at ${lineOf(site)}`)].join("\n");
  } catch {
    return [String(error), ...sites.map((site) => `    at ${textOf(site)}`)].join("\n"); // no map, or a broken one
  }
};
