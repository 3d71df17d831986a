const sentenceCount = 6;
const longestSentence = 320;

/** A short summary: the first sentences of the text. */
export function summarize(text: string): string {
  const sentences = text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.replace(/^[#>*\-\s]+/, "").trim())
    .filter((sentence) => sentence.length > 12 && !sentence.endsWith(":"))
    .slice(0, sentenceCount);
  const points = sentences.map((sentence) => `- ${sentence.slice(0, longestSentence)}`);
  const body =
    points.length > 0 ? points.join("\n") : `- ${text.trim().slice(0, longestSentence) || "(nothing)"}`;
  return `## Earlier messages\n\n${body}\n\n_Canned summary of the offline model: sentences taken from ${text.length} characters._`;
}
