/** Names of downloaded files that every system accepts. */

/** Windows refuses these as names, with any extension. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

const most = 80;

/**
 * @param {string} text a title
 * @param {string} otherwise if nothing is left of it
 * @returns {string} "Costs-per-month"
 */
export function fileNameOf(text, otherwise) {
  const name = text
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .slice(0, most)
    .replace(/^[-.]+|[-.]+$/g, "");
  return name === "" ? otherwise : name;
}

/**
 * Returns a function that makes each path that it gets unlike all earlier ones, without regard to case: "a.csv",
 * "a-2.csv". A file also never has the name of a folder.
 */
export function uniquePaths() {
  /** @type {Set<string>} */
  const files = new Set();
  /** @type {Set<string>} */
  const folders = new Set();
  /** @param {string} path */
  const isFree = (path) => !files.has(path) && !folders.has(path);
  /**
   * @param {string} wanted
   * @returns {string}
   */
  return (wanted) => {
    const nested = wanted.split("/").map(allowed).join("/");
    const isUnderFile = foldersOf(nested.toLowerCase()).some((folder) => files.has(folder));
    const path = isUnderFile ? nested.replaceAll("/", "-") : nested;
    let free = path;
    for (let count = 2; !isFree(free.toLowerCase()); count += 1) free = numbered(path, count);
    files.add(free.toLowerCase());
    for (const folder of foldersOf(free.toLowerCase())) folders.add(folder);
    return free;
  };
}

/** @param {string} path */
function foldersOf(path) {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** @param {string} segment */
const allowed = (segment) => (reserved.test(segment) ? `_${segment}` : segment);

/**
 * @param {string} path
 * @param {number} count
 */
const numbered = (path, count) => path.replace(/(\.[^./]+)?$/, (extension) => `-${count}${extension}`);
