import { createHash } from "node:crypto";
import type { Context } from "../studio/schemas.ts";

/**
 * Names the job that a context is for, as the API has no id for it: a digest of the messages that are to be answered, or
 * of title, idea and text where there are none (studio-api.md, "Context object"). By id and text: an absurd id is unknown,
 * and numbers may be absurd in one answer and not in the next.
 */
export function jobDigest({ recentMessages, recentText, title, legacyIdea }: Context): string {
  const job =
    recentMessages.length > 0
      ? recentMessages.map(({ id, text }) => [id, text])
      : { title, legacyIdea, recentText };
  return createHash("sha256").update(JSON.stringify(job)).digest("base64url").slice(0, 22);
}
