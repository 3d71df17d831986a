/**
 * The entry point of a process that becomes another user of this machine ("nobody") and makes the given
 * attempts to read. Root starts it, and it loads everything that it needs before it changes the user.
 */
import { readdirSync, readFileSync } from "node:fs";
import * as z from "zod";

const nobody = 65_534;

const taskSchema = z.object({
  files: z.array(z.string()),
  folders: z.array(z.string()),
  requests: z.array(
    z.object({
      url: z.string(),
      method: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.string().optional(),
    }),
  ),
});
export type OtherUserTask = z.input<typeof taskSchema>;

export interface OtherUserReport {
  readonly uid: number | undefined;
  /** What could be read, with the contents. */
  readonly read: Readonly<Record<string, string>>;
  readonly answers: readonly { readonly url: string; readonly status: number; readonly body: string }[];
}

function attempt(paths: readonly string[], read: (path: string) => string): [string, string][] {
  return paths.flatMap((path) => {
    try {
      return [[path, read(path)]];
    } catch {
      return [];
    }
  });
}

async function run(task: OtherUserTask): Promise<OtherUserReport> {
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
  const { files, folders, requests } = task;
  const answers = [];
  for (const { url, body, ...rest } of requests) {
    const answer = await fetch(url, { ...rest, ...(body === undefined ? {} : { body }) });
    answers.push({ url, status: answer.status, body: await answer.text() });
  }
  return {
    uid: process.getuid?.(),
    read: Object.fromEntries([
      ...attempt(files, (file) => readFileSync(file, "utf8")),
      ...attempt(folders, (folder) => readdirSync(folder).join()),
    ]),
    answers,
  };
}

process.once("message", (message) => {
  void run(taskSchema.parse(message)).then((report) => process.send?.(report, () => process.disconnect()));
});
