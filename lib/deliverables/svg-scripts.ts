/**
 * What Studio takes for a script: `javascript:`, and `on…=` anywhere, even inside words and in text
 * ("Conversion = 5"). This is the public runner's own check, which follows Studio's. It uses split, because
 * the runner's regular expression takes quadratic time on long words.
 */
export function looksScripted(text: string): boolean {
  return text.toLowerCase().includes("javascript:") || text.split("=").slice(0, -1).some(endsLikeHandler);
}

/**
 * Changes text that looks like a script, without changing what a browser shows: replaces the "=" or ":" by a
 * character reference. Needs markup whose only raw `<` and `>` belong to its tags, as the sanitizer writes
 * it.
 */
export function quieten(markup: string): string {
  return markup.replaceAll(/>[^<>]+</g, (text) => {
    const [first = "", ...others] = text.replaceAll(/(javascript):/gi, "$1&#58;").split("=");
    // A "=" or its character reference ends a word, so the text since the last one decides whether the word
    // looks like a handler.
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
