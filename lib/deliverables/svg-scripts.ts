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
  return markup.replaceAll(/>[^<>]+</g, (text) => {
    const [first = "", ...others] = text.replaceAll(/(javascript):/gi, "$1&#58;").split("=");
    // A sign, or what stands for it, ends a word: whether one is a handler's, the text since the last one tells.
    let before = first;
    const rest = others.map((after) => {
      const sign = endsLikeHandler(before) ? "&#61;" : "=";
      before = after;
      return sign + after;
    });
    return first + rest.join("");
  });
}

function endsLikeHandler(before: string): boolean {
  const word = before.trimEnd().split(/\W/).at(-1) ?? "";
  return /on\w/i.test(word);
}
