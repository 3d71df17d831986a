/** Every kind of fault; docs/reliability.md describes them. `--only` selects single ones. */
export const faultKinds = [
  "calls",
  "events",
  "kills",
  "stolen-lease",
  "outage",
  "key",
  "second-message",
  "doubled-lease",
  "lost-answer",
  "odd-body",
  "retry-after",
  "cut-off",
  "frozen",
  "absurd-number",
  "skew",
  "short-lease",
] as const;

export type FaultKind = (typeof faultKinds)[number];
