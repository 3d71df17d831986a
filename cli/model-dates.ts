/** The date of this list. */
export const modelDatesAsOf = "2026-11-20";

export interface Shutdown {
  /** The provider stops serving the model on this day: YYYY-MM-DD. */
  readonly date: string;
  /** The replacement that the provider recommends, if any. */
  readonly instead: string | undefined;
}

/**
 * Announced shutdowns of OpenAI's text models, for when the provider is not asked or does not say. Source:
 * https://developers.openai.com/api/docs/deprecations, through pages that copied it.
 */
const announced: Readonly<Record<string, readonly [date: string, instead?: string]>> = {
  "gpt-5-chat-latest": ["2026-07-23", "gpt-5.3-chat-latest"],
  "gpt-5-codex": ["2026-07-23", "gpt-5.4"],
  "gpt-5.1-chat-latest": ["2026-07-23", "gpt-5.3-chat-latest"],
  "gpt-5.1-codex": ["2026-07-23", "gpt-5"],
  "gpt-5.1-codex-max": ["2026-07-23", "gpt-5.4"],
  "gpt-5.1-codex-mini": ["2026-07-23", "gpt-5.4-mini"],
  "gpt-5.2-codex": ["2026-07-23", "gpt-5.4"],
  "gpt-5.2-chat-latest": ["2026-08-10", "gpt-5.5"],
  "gpt-5.3-chat-latest": ["2026-08-10", "gpt-5.5"],
  "gpt-3.5-turbo": ["2026-10-23", "gpt-4.1-mini"],
  "gpt-4": ["2026-10-23"],
  "gpt-5": ["2026-12-11"],
  "gpt-5-mini": ["2026-12-11", "gpt-5.6-terra"],
  "gpt-5-nano": ["2026-12-11", "gpt-5.6-luna"],
  "gpt-5-pro": ["2026-12-11"],
  o3: ["2026-12-11"],
  "o3-pro": ["2026-12-11"],
};

/** The shutdown of the model, or of the model whose dated snapshot it is. */
export function shutdownOf(model: string): Shutdown | undefined {
  const name = model.replace(/-\d{4}-\d{2}-\d{2}$/, "");
  if (!Object.hasOwn(announced, name)) return undefined;
  const [date, instead] = announced[name] ?? [];
  return date === undefined ? undefined : { date, instead };
}
