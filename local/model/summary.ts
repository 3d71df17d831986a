const sentenceCount = 6;
const longestSentence = 320;

/**
 * Informative sentences contain figures, dates, links or decisions. The weights are used only for ranking.
 */
const signals: readonly (readonly [pattern: RegExp, weight: number])[] = [
  [/\d/, 2],
  [/https?:\/\//, 2],
  [/\b(must|should|need|want|decide|agreed|deadline|budget|because|never|only)/i, 1],
];

/** A short extractive summary: the most informative sentences of the text, in their order. */
export function summarize(text: string): string {
  const sentences = text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.replace(/^[#>*\-\s]+/, "").trim())
    .filter((sentence) => sentence.length > 12 && !sentence.endsWith(":"));
  const best = sentences
    .map((sentence, index) => ({ sentence, index, weight: weightOf(sentence) }))
    .toSorted((a, b) => b.weight - a.weight || a.index - b.index)
    .slice(0, sentenceCount)
    .toSorted((a, b) => a.index - b.index);
  const points = best.map(({ sentence }) => `- ${sentence.slice(0, longestSentence)}`);
  const body =
    points.length > 0 ? points.join("\n") : `- ${text.trim().slice(0, longestSentence) || "(nothing)"}`;
  return `## Earlier messages\n\n${body}\n\n_Canned summary of the offline model: sentences taken from ${text.length} characters._`;
}

function weightOf(sentence: string): number {
  return signals.reduce((sum, [pattern, weight]) => sum + (pattern.test(sentence) ? weight : 0), 0);
}
