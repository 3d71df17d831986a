/** What the codes of failed dispatch cycles mean. */
const words: Readonly<Record<string, string>> = {
  key_refused: "Studio knows none of its runner keys",
  secret_missing: "no runner key is stored",
  secret_malformed: "the stored runner keys cannot be read",
  secrets_unavailable: "Secrets Manager did not give it the runner keys",
  studio_unavailable: "Studio cannot be reached",
  studio_contract: "Studio's answer is not in the format of its API",
  studio_rejected: "Studio refused the request",
  run_store_unavailable: "the run store cannot be reached",
  invoke_failed: "the processor could not be invoked",
  config_invalid: "its settings are wrong",
};

/** "because Studio cannot be reached (studio_unavailable)" */
export function becauseOf(code: string): string {
  const text = Object.hasOwn(words, code) ? words[code] : undefined;
  return text === undefined ? `because of ${code}` : `because ${text} (${code})`;
}
