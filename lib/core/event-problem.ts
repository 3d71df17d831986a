/** "attempt: Invalid input: expected number, received string". */
export function problemOf(issue: {
  readonly path?: readonly unknown[] | undefined;
  readonly message: string;
}): string {
  return `${issue.path?.join(".") || "event"}: ${issue.message}`;
}
