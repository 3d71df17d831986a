/** Formats metric values in a short form with their unit. */

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 10 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/**
 * @param {number} value
 * @returns {string}
 */
function digits(value) {
  const size = Math.abs(value);
  if (size >= 10_000) return compact.format(value);
  return size >= 1 || size === 0 ? plain.format(value) : small.format(value);
}

/**
 * @param {number} value
 * @param {string} unit "", "s", "ms", "%" or "$"
 * @param {{ exact?: boolean }} [options]
 * @returns {string} "1.2K", "12.3 s", "83%", "$0.0042"
 */
export function figure(value, unit, { exact = false } = {}) {
  const text = exact ? whole.format(value) : digits(value);
  if (unit === "$") return value < 0 ? `-$${text.slice(1)}` : `$${text}`;
  if (unit === "%" || unit === "") return `${text}${unit}`;
  return `${text} ${unit}`;
}

/** @param {number} atMs @returns {string} "14:05" */
export const clockTime = (atMs) => clock.format(atMs);
