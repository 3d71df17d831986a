import { createHash } from "node:crypto";
import type { Context } from "../studio/schemas.ts";

/**
 * Identifies the job of a context, since the API has no id for it: a digest of the messages to be answered, or
 * of title, idea and text if there are none (studio-api.md, "Context object"). It uses ids and texts only, because an out-of-range
 * number in one answer can be valid in the next.
 */
export function jobDigest({ recentMessages, recentText, title, legacyIdea }: Context): string {
  const job =
    recentMessages.length > 0
      ? recentMessages.map(({ id, text }) => [id, text])
      : { title, legacyIdea, recentText };
  return createHash("sha256").update(JSON.stringify(job)).digest("base64url").slice(0, 22);
}
