import { createHash } from "node:crypto";
import type { Context } from "../studio/schemas.ts";

/**
 * Names the job that a context is for, as the API has no id for it: a digest of the messages that are to be answered
 * (by id and text: an absurd id is unknown, and numbers may be absurd in one answer and not in the next), or of the title and idea where there are none (studio-api.md, "Context object").
 */
export function jobDigest({ recentMessages, recentText, title, legacyIdea }: Context): string {
  const job =
    recentMessages.length > 0
      ? recentMessages.map(({ id, text }) => [id, text])
      : { title, legacyIdea, recentText };
  return createHash("sha256").update(JSON.stringify(job)).digest("base64url").slice(0, 22);
}
