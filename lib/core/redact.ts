/** Removes a credential from a server's text, which may echo what it was sent. */
export type Redact = (text: string) => string;

/** Shorter parts of a key are not searched for: they would match ordinary words. */
const shortestSecret = 6;
/** A key that was cut short is found by its first characters, if it has at least this length. */
const cutSecret = 16;
const beginning = 8;

const redacted = "[redacted]";

/** The whole credential and the part after its first dot; each also if it was cut short. */
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
