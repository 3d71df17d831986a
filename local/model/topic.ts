/** A user's text in the forms that canned answers quote. */
export interface Topic {
  /** The newest part of the input, without headings, for keywords and special words. */
  readonly text: string;
  /** At most 60 characters, for titles. */
  readonly subject: string;
  /** At most 200 characters, for the message. */
  readonly quote: string;
}

/**
 * The headings that runners put above the newest messages: this project's (lib/agent/input.ts) and the public
 * one's.
 */
const requestHeading = /^#{1,6} (?:the request|recent user messages)[ \t]*$/gim;
/** The public runner's input for a workspace without messages starts like this. */
const ideaOpening = /^title: .*\n+---\n/i;
const titleSection = /^(?:# workspace title\s+|title: )(.+)/i;

export function topicOf(input: string): Topic {
  const heading = [...input.matchAll(requestHeading)].at(-1);
  const start =
    heading === undefined ? (ideaOpening.exec(input)?.[0].length ?? 0) : heading.index + heading[0].length;
  const text = input.slice(start).trim();
  const plain = quotable(text);
  const title = quotable(titleSection.exec(input.slice(0, start))?.[1] ?? "");
  const firstSentence = plain.split(/(?<=[.!?])\s/)[0] ?? plain;
  return {
    text,
    subject: cut(title || firstSentence || "your message", 60),
    quote: cut(plain || "(no text)", 200),
  };
}

/** Converts text to one line that is safe in Markdown, in titles and next to placeholders. */
function quotable(text: string): string {
  return text
    .replace(/\[\[[^[\]]*\]\]/g, " ")
    .replace(/[`*_#<>{}[\]|\\]/g, " ")
    .replace(/[\s\p{Cc}\p{Cs}\uFFFE\uFFFF]+/gu, " ")
    .trim();
}

function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const start = text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "");
  return `${start.trimEnd()}…`;
}

export function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
