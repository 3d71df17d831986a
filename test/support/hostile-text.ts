/** Texts with which a model, Studio or a log line could deceive a person at a terminal. */
export const hostileTexts: readonly string[] = [
  "\u001B[31mred\u001B[0m",
  "\u001B[2J\u001B[1;1Hclear the screen",
  "\u001B]0;title\u0007",
  "\u001B]8;;https://evil.example\u001B\\link\u001B]8;;\u001B\\",
  "\u001B]52;c;ZXZpbA==\u0007 clipboard",
  "\u001BPdevice\u001B\\ \u001B_application\u001B\\",
  "\u009B31mred by one character",
  "over\rwritten",
  "erased\b\b\b\b\b\b",
  "bell\u0007 null\u0000 delete\u007F next\u0085line",
  "one\nError: two",
  "one\r\nError: two\u2028three\u2029four",
  "tab\tstop\vvertical\fform",
  "user\u202Egnp.exe\u202C",
  "\u202A\u202B\u202D\u2066\u2067\u2068\u2069isolated",
  "\u001B",
  "half a pair \uD83D",
];

/** Every character that text from outside must not send to a terminal; a line end is allowed. */
export const control = /(?!\n)[\p{Cc}\u202A-\u202E\u2066-\u2069\u2028\u2029]/u;

const ourColours = [1, 2, 22, 31, 32, 33, 36, 39].map((code) => `\u001B[${code}m`);

/** Removes the colours that the renderers use. */
export const withoutOurColours = (text: string): string =>
  ourColours.reduce((left, code) => left.replaceAll(code, ""), text);
