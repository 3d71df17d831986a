import * as z from "zod";
import { withTimeLimit } from "../../lib/core/clock.ts";
import { printable } from "../../lib/core/text.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { compareVersions, versionSchema } from "../versions.ts";
import { parseJson } from "../../lib/core/json.ts";

const limitMs = 5_000;
const maxCharacters = 1_000_000;

export const checkUpdate: Command = defineCommand({
  name: "check-update",
  summary: "Checks whether there is a newer release than the deployed one",
  details:
    "Reads the address in the setting updates.feedUrl: JSON { version, url }, or GitHub's /releases/latest. " +
    "Exits with 1 if an update is available, with 5 if the feed could not be read.",
  examples: [{ line: "check-update", shows: "disabled, up to date, or update available" }],
  input: z.object({}),
  run: async (context) => {
    const { version: deployed, settings } = await context.stack();
    const feedUrl = settings.updates?.feedUrl;
    if (feedUrl === undefined) {
      const data = { state: "disabled", deployed };
      return { data, text: () => `The check is off: no updates.feedUrl is deployed. Deployed: ${deployed}.` };
    }
    const { version: latest, url } = await readFeed(context, feedUrl);
    const isNewer = compareVersions(latest, deployed) > 0;
    const data = { state: isNewer ? "update_available" : "up_to_date", deployed, latest, url: url ?? null };
    const text = (): string =>
      isNewer
        ? `Version ${latest} is available (deployed: ${deployed}).${url === undefined ? "" : ` ${printable(url)}`}`
        : `Up to date: ${deployed}${latest === deployed ? "" : ` (the feed has ${latest})`}.`;
    return { data, text, exit: isNewer ? "finding" : "ok" };
  },
});

interface Release {
  readonly version: string;
  readonly url: string | undefined;
}

const webAddress = z.url({ protocol: /^https?$/ });

/** Accepts both formats of a feed and returns one. */
const feedSchema = z.union([
  z.object({ version: versionSchema, url: webAddress.optional() }),
  z
    .object({ tag_name: versionSchema, html_url: webAddress.optional() })
    .transform(({ tag_name: version, html_url: url }) => ({ version, url })),
]);

/** @throws CliError `check_failed` */
async function readFeed(context: Context, feedUrl: string): Promise<Release> {
  const failed = (message: string, cause?: unknown): CliError =>
    new CliError("check_failed", `The release feed ${message}.`, { remedy: `Open ${feedUrl}`, cause });
  const { clock, signal } = context;
  const limit = { clock, limitMs, signal, what: "the release feed" };
  const text = await withTimeLimit(limit, async (inner) => {
    const response = await context.fetch(feedUrl, {
      signal: inner,
      headers: { accept: "application/json", "user-agent": "studio-runner" },
    });
    if (!response.ok) throw failed(`answered with HTTP ${response.status}`);
    return response.text();
  }).catch((error: unknown) => {
    if (signal.aborted || error instanceof CliError) throw error;
    throw failed(`could not be read: ${error instanceof Error ? error.message : String(error)}`, error);
  });
  const feed = text.length > maxCharacters ? undefined : feedSchema.safeParse(parseJson(text)).data;
  if (!feed) throw failed("holds neither { version, url } nor a GitHub release");
  return { version: feed.version, url: feed.url };
}
