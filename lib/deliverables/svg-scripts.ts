/**
 * What Studio takes for a script: `javascript:`, and `on…=` anywhere, even inside words and in text ("Conversion = 5").
 * That is the public runner's own check, which follows Studio's. Written with split, because its regular expression
 * takes quadratic time on long words.
 */
export function looksScripted(text: string): boolean {
  return text.toLowerCase().includes("javascript:") || text.split("=").slice(0, -1).some(endsLikeHandler);
}

/**
 * The same drawing for browsers, but nothing in its text looks like a script: a character reference stands for the
 * sign. Needs markup whose only raw `<` and `>` are those of its tags, as the sanitizer writes it.
 */
export function quieten(markup: string): string {
  return markup.replaceAll(/>[^<]+</g, (text) =>
    text
      .replaceAll(/(javascript):/gi, "$1&#58;")
      .split("=")
      .reduce((before, after) => before + (endsLikeHandler(before) ? "&#61;" : "=") + after),
  );
}

function endsLikeHandler(before: string): boolean {
  const word = before.trimEnd().split(/\W/).at(-1) ?? "";
  return /on\w/i.test(word);
}
