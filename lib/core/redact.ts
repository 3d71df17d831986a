/** Takes a credential out of a text of the other side's, which may echo what it was sent. */
export type Redact = (text: string) => string;

/** Shorter parts of a key are not looked for: they would blot out ordinary words. */
const shortestSecret = 6;
/** From this length on a key is also found that has lost its end: by its first characters. */
const cutSecret = 16;
const beginning = 8;

const redacted = "[redacted]";

/** The whole credential, and what stands behind its first dot; each also where it was cut short. */
export function redactor(credential: string): Redact {
  const secrets = [credential, credential.slice(credential.indexOf(".") + 1)].filter(
    (secret) => secret.length >= shortestSecret,
  );
  return (text) => secrets.reduce(hide, text);
}

function hide(text: string, secret: string): string {
  const rest = text.replaceAll(secret, redacted);
  if (secret.length < cutSecret) return rest;
  const [before = "", ...behind] = rest.split(secret.slice(0, beginning));
  return [before, ...behind.map((part) => part.replace(/^[^\s"'<>&]*/, redacted))].join("");
}
