/** Formats times, sizes and numbers for the page. */

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 4 });
const compactNumbers = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const exactTimes = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });

/** @param {number} value */
export const number = (value) => numbers.format(value);
/** @param {number} value for an axis, which has little space */
export const compactNumber = (value) =>
  Math.abs(value) < 10_000 ? number(value) : compactNumbers.format(value);
/** @param {number} share 0 to 1 */
export const percent = (share) => percents.format(share);
/** @param {number} atMs */
export const exactTime = (atMs) => exactTimes.format(atMs);

/**
 * @param {number} atMs
 * @param {number} nowMs
 * @returns {string} "just now", "5 min ago", "3 h ago", "Nov 20"
 */
export function relativeTime(atMs, nowMs) {
  const seconds = Math.max(0, Math.floor((nowMs - atMs) / 1000));
  if (seconds < 45) return "just now";
  if (seconds < 3_600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return days.format(atMs);
}

/**
 * @param {number} tookMs
 * @returns {string} "0.8 s", "12 s", "3 min 5 s"
 */
export function duration(tookMs) {
  const seconds = tookMs / 1000;
  if (seconds < 1) return `${Math.max(0.1, Math.round(seconds * 10) / 10)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * @param {string} text
 * @returns {string} its size as a UTF-8 file: "512 B", "4.2 KB"
 */
export function fileSize(text) {
  const bytes = new TextEncoder().encode(text).length;
  return bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} KB`;
}
