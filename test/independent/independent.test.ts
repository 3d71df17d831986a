import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpenAI } from "openai";
import { afterAll, afterEach, describe, expect, inject, it, onTestFailed } from "vitest";
import { run } from "../support/command.ts";
import { startIndependentResponses, type IndependentResponses, type ResponsesTraits } from "./responses.ts";
import { startIndependentStudio, type StudioTraits } from "./studio.ts";

const runnerKey = "cred-7f3.s3cret-Runner_0123456789abcdef";
const model = { key: "sk-independent-0123456789abcdef", model: "gpt-independent" };

/** Reached only when something hangs, even on a busy machine. */
const patienceMs = 180_000;

const folders = mkdtempSync(join(tmpdir(), "independent-"));
afterAll(() => rmSync(folders, { recursive: true, force: true }));

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

interface World {
  readonly jobs: number;
  readonly concurrency: number;
  readonly studio?: StudioTraits;
  readonly model?: readonly ResponsesTraits[];
}

/** Runs the jobs of a world that the runner knows only from five environment variables. */
async function serve({ jobs, concurrency, ...traits }: World) {
  const texts = Array.from({ length: jobs }, (_, at) => `Bitte erledige job ${at + 1} — “schön” 🚀`);
  const studio = await startIndependentStudio(runnerKey, texts, traits.studio);
  const responses = await startIndependentResponses(model, traits.model);
  opened.push(studio, responses);
  const env = {
    RUNNER_API_BASE: studio.baseUrl,
    RUNNER_TOKEN: runnerKey,
    OPENAI_BASE_URL: responses.baseUrl,
    OPENAI_API_KEY: model.key,
    OPENAI_MODEL: model.model,
  };
  const stateDir = mkdtempSync(join(folders, "state-"));
  const flags = ["--once", "--concurrency", String(concurrency), "--state-dir", stateDir];
  const { code, stdout, stderr } = await run(flags, { env, bundles: inject("bundlesFolder") });
  onTestFailed(() => console.error(stdout, stderr));
  return { studio, responses, ended: { code, output: stdout + stderr } };
}

/** `npm start` tries the runner key at Studio with a heartbeat for a workspace that does not exist. */
const keyTried = '/heartbeatWorkspaceJob 404 {"error":"no such workspace"}';

/** The number of rounds, and the request that tries the model key. Reading an earlier response does not count. */
const modelRequests = ({ requests }: IndependentResponses): number =>
  requests.filter(({ method, path }) => `${method} ${path}` === "POST /v1/responses").length;

const distinct = (values: readonly unknown[]): readonly unknown[] => [...new Set(values)];

describe("the runner, with an independent Studio and model,", () => {
  it(
    "completes twenty jobs with four Studio requests and two rounds each, and only the try of its key refused",
    async () => {
      const { studio, responses, ended } = await serve({ jobs: 20, concurrency: 8 });

      expect(ended.output).toContain("completed in");
      expect(ended.code).toBe(0);
      expect([...studio.complaints, ...responses.complaints]).toEqual([keyTried]);
      for (const { id, calls, result } of studio.workspaces) {
        expect(calls).toEqual([
          "/leaseWorkspaceJob",
          "/getWorkspaceRunnerContext",
          "/heartbeatWorkspaceJob",
          "/completeWorkspaceJob",
        ]);
        expect(result?.["assistantMessage"]).toMatch(new RegExp(`^Done: job ${id.slice(3)}\n`));
        expect(result?.["charts"]).toHaveLength(6);
        for (const key of ["files", "datasets", "svgs", "lists", "checklists"])
          expect(result?.[key]).toHaveLength(1);
      }
      expect(modelRequests(responses)).toBe(41);
      expect(distinct(studio.requests.map(({ headers }) => headers.authorization))).toEqual([
        "Bearer cred-7f3.s3cret-Runner_0123456789abcdef",
      ]);
      expect(distinct(responses.requests.map(({ headers }) => headers.authorization))).toEqual([
        "Bearer sk-independent-0123456789abcdef",
      ]);
      const all = [...studio.requests, ...responses.requests];
      expect(distinct(all.map(({ headers }) => headers["user-agent"]))).toEqual(["studio-runner"]);
      expect(ended.output).not.toMatch(/s3cret|sk-independent|failed|lost|tries again/);
    },
    patienceMs,
  );

  it(
    "completes jobs with every form of answer that the API pages allow",
    async () => {
      const { studio, responses, ended } = await serve({
        jobs: 7,
        concurrency: 7,
        studio: {
          accepted: ["usual", "ok only", "an empty body", "204", "null fields"],
          unknownFields: true,
          leaseMs: 30_000,
          aheadMs: -120_000,
        },
        model: [
          { usage: "absent" },
          { framing: "crlf" },
          { framing: "json" },
          { chain: "refused" },
          { chain: "ignored" },
          { chain: "unsupported" },
          { chain: "ignored", framing: "json" },
        ],
      });

      expect(
        studio.workspaces.map(({ id, result }) => `${id} ${String(result?.["assistantMessage"])}`),
      ).toEqual(
        [1, 2, 3, 4, 5, 6, 7].map((job): unknown => expect.stringMatching(`^ws-${job} Done: job ${job}\n`)),
      );
      expect(ended.code).toBe(0);
      expect(studio.complaints).toEqual([keyTried]);
      expect(responses.complaints.toSorted()).toEqual([
        expect.stringMatching(
          /^POST \/v1\/responses 400 Previous response with id '"resp_\w+"' not found\.$/,
        ),
        "POST /v1/responses 400 this server does not support 'previous_response_id'.",
      ]);
      // Two rounds per job, one more where chaining failed, and the try of the key.
      expect(modelRequests(responses)).toBe(19);
      for (const { calls } of studio.workspaces) {
        expect(calls.filter((path) => path === "/leaseWorkspaceJob")).toHaveLength(1);
        expect(calls.filter((path) => path === "/completeWorkspaceJob")).toHaveLength(1);
      }
    },
    patienceMs,
  );

  it(
    "completes jobs when Studio's clock is two minutes behind and its answers have no Date header",
    async () => {
      const { studio, ended } = await serve({
        jobs: 2,
        concurrency: 2,
        studio: { aheadMs: -120_000, date: "absent" },
      });

      expect(studio.workspaces.map(({ state }) => state)).toEqual(["completed", "completed"]);
      expect(ended.code).toBe(0);
    },
    patienceMs,
  );
});

describe("the independent Responses server, called by OpenAI's own client,", () => {
  async function connect() {
    const server = await startIndependentResponses(model);
    opened.push(server);
    const client = new OpenAI({ apiKey: model.key, baseURL: server.baseUrl, maxRetries: 0 });
    return client.responses;
  }

  it("gives the same answer with and without streaming", async () => {
    const client = await connect();
    const asked = { model: model.model, input: "Do job 5" };
    const streamed = await client.stream(asked).finalResponse();
    const { output_text: text, usage } = await client.create(asked);

    expect(text).toMatch(/^Done: job 5\n/);
    expect(streamed.output_text).toBe(text);
    expect(streamed.usage).toEqual(usage);
  });

  it("continues from a previous response, and refuses one that it does not know", async () => {
    const client = await connect();
    const first = await client.create({ model: model.model, input: "Do job 6" });
    const second = await client.create({
      model: model.model,
      input: "And?",
      previous_response_id: first.id,
    });

    expect(second.output_text).toMatch(/^Done: job 6\n/);
    expect(await client.retrieve(second.id)).toEqual(second);
    await expect(
      client.create({ model: model.model, input: "And?", previous_response_id: "resp_0" }),
    ).rejects.toMatchObject({ status: 400, code: "previous_response_not_found" });
  });

  it("runs a background response until it is completed or cancelled", async () => {
    const client = await connect();
    const asked = { model: model.model, input: "Do job 7", background: true };
    const { id, status } = await client.create(asked);
    const seen = [status];
    for (let polls = 0; polls < 3; polls++) seen.push((await client.retrieve(id)).status);
    const other = await client.create(asked);
    const cancelled = await client.cancel(other.id);

    expect(seen).toEqual(["queued", "in_progress", "completed", "completed"]);
    expect((await client.retrieve(id)).output_text).toMatch(/^Done: job 7\n/);
    expect(cancelled.status).toBe("cancelled");
    expect((await client.retrieve(other.id)).status).toBe("cancelled");
  });
});
