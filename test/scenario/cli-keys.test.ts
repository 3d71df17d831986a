import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { build } from "../support/build-with.ts";
import { run as runCommand, type Ended } from "../support/command.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { operatorOf, type HereCli } from "../support/here-cli.ts";
import { held } from "../support/hold.ts";
import { idOf } from "../support/scenario-template.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/**
 * Runs the commands for keys and dead letters, most of them in this process, against a stack that was
 * synthesized for them.
 */
let scenario: Scenario;
let here: HereCli;
beforeAll(async () => {
  // The commands read the addresses of Studio and the model from the deployed settings, which the template of
  // other scenarios does not contain.
  scenario = await startScenario({ concurrency: 7, turnMs: 400, build });
  here = await operatorOf(scenario);
});
afterAll(() => scenario.close());

/** Every output of every command. No key may be in it. */
let outputs = "";

async function runner(argv: readonly string[], input = "", run = here): Promise<Ended> {
  const ended = await run([...argv, "--local", "--state-dir", scenario.stateDir], input);
  outputs += ended.stdout + ended.stderr;
  return ended;
}

/** Runs the command in a process of its own, which reads its standard input. */
const inProcess = (argv: readonly string[], input?: string): Promise<Ended> =>
  runner(argv, input, (all, given = "") => runCommand(all, { script: "cli/main.ts", input: given }));

interface Diagnosis {
  readonly checks: readonly { readonly id: string; readonly outcome: string; readonly finding: string }[];
}

async function diagnose(run = runner): Promise<{
  code: number | null;
  outcomes: Record<string, string>;
  diagnosis: Diagnosis;
}> {
  const { code, stdout } = await run(["doctor", "--json"]);
  const diagnosis = JSON.parse(stdout) as Diagnosis;
  const outcomes = Object.fromEntries(diagnosis.checks.map(({ id, outcome }) => [id, outcome]));
  return { code, outcomes, diagnosis };
}

/** Every runner key so far. */
const keys: string[] = [];

function newKey(): string {
  const { runnerToken } = scenario.studio.createKey("user", "by hand");
  keys.push(runnerToken);
  return runnerToken;
}

const present = (): string => scenario.secrets().runnerKey;

describe("with the local stack running", () => {
  test("doctor finds nothing wrong after a cycle", async () => {
    await scenario.cycle();
    const { code, outcomes, diagnosis } = await diagnose(inProcess);
    expect(diagnosis.checks.filter(({ outcome }) => outcome === "fail" || outcome === "warn")).toEqual([]);
    expect(outcomes).toMatchObject({
      credentials: "ok",
      bootstrap: "skipped",
      deployed: "ok",
      polls: "ok",
      "runner-keys-accepted": "ok",
      "model-key-accepted": "ok",
      model: "ok",
      "account-key": "ok",
    });
    expect(code).toBe(0);
  });

  test("secrets set tries a key first and does not store a refused one", async () => {
    const wrong = await inProcess(["secrets", "set", "model-key"], "sk-of-somebody-else\n");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain(`The model's provider at ${scenario.model.url} refuses this key.`);
    const strange = await runner(["secrets", "set", "runner-keys"], "nobody.knows-this-key");
    expect(strange.code).toBe(1);
    expect(strange.stderr).toContain(`Studio at ${scenario.studio.url} refuses the runner key nobody.`);
    const right = await inProcess(["secrets", "set", "model-key"], scenario.secrets().modelKey);
    expect(right.stdout).toMatch(/^Tried and stored: model-key, version /);
    expect(right.code).toBe(0);
    expect((await diagnose()).code).toBe(0);
  });

  test("running jobs complete after a key is stored by hand and another by rotate, and the old key is revoked", async () => {
    const ids = Array.from({ length: 6 }, (_, number) => scenario.queue(`Job ${number}.`));
    await scenario.cycle();
    keys.push(present());
    const rotated = await runner(["rotate", "--mint", "--watch", "2"]);
    keys.push(...(JSON.parse(present()) as { keys: string[] }).keys);
    expect(rotated.stdout).toMatch(/^Pool local now leases with \S+; nothing was refused in \d+\.\d s\./);
    expect(rotated.code).toBe(0);
    const given = await runner(["rotate", "--watch", "1", "--json"], newKey());
    expect(JSON.parse(given.stdout)).toMatchObject({ outcome: "promoted", pool: "local" });
    await scenario.drain();
    for (const id of ids) expect(await scenario.ended(id)).toMatchObject({ state: "completed" });

    const after = scenario.queue("One more.");
    await scenario.drain();
    expect(await scenario.ended(after)).toMatchObject({ state: "completed" });

    const finished = await runner(["rotate", "--finish", "--unused-for", "1s", "--timeout", "60s"]);
    expect(finished.stdout).toMatch(/^Revoked: \S+\. Pool local has no old key left/);
    expect(finished.code).toBe(0);
  });

  test("rotate refuses a key that Studio does not know, and changes nothing", async () => {
    const refused = await runner(["rotate", "--json"], "nobody.knows-this-key");
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ outcome: "refused", newKeys: ["nobody"] });
    expect((await diagnose()).outcomes).toMatchObject({ "runner-keys-accepted": "ok", rotation: "ok" });
  });

  test("redrive sends a dead letter with a live lease to recovery, and deletes one that needs no recovery", async () => {
    const running = scenario.queue(`Take your time. ${held}`);
    await scenario.cycle();
    const [run] = (await scenario.runs()).filter(({ workspaceId }) => workspaceId === running);
    const letterOf = (runId: string): string =>
      JSON.stringify({
        requestContext: { requestId: "r", condition: "RetriesExhausted" },
        requestPayload: {
          requestContext: { requestId: "none", condition: "RetriesExhausted" },
          requestPayload: { pool: "local", runId, attempt: 1 },
        },
      });
    const queue = scenario.cloud.queue(idOf("DeadLetters"));
    queue.send(letterOf(run?.runId ?? ""));
    queue.send(letterOf("01JCZ9V5W3X8K2M4N6P8Q0R2S8"));
    queue.send("not a record");

    const dry = await runner(["redrive", "--dry-run", "--json"]);
    expect(dry.code).toBe(1);
    expect(queue.depth()).toEqual({ visible: 3, hidden: 0 });
    const done = await runner(["redrive", "--yes", "--json"]);
    expect(done.code).toBe(1);
    expect((JSON.parse(done.stdout) as { deadLetters: object[] }).deadLetters).toMatchObject([
      { workspaceId: running, action: "send", done: true },
      { action: "delete", why: "its run is no longer in the run store", done: true },
      { action: "keep", done: false },
    ]);
    expect(queue.depth()).toEqual({ visible: 1, hidden: 0 });
    // The event belongs to an unknown invocation, so recovery leaves the run to its attempt.
    await eventuallyTrue("recovery has looked", () => scenario.lines("recovery_ended").length === 1);
    scenario.hold(() => false);
    await scenario.drain();
    expect(await scenario.ended(running)).toMatchObject({ state: "completed" });
  });

  test("deploy and init say that the local stack needs neither", async () => {
    for (const name of ["deploy", "init", "destroy"]) {
      const { code, stderr } = await runner([name]);
      expect(code).toBe(2);
      expect(stderr).toContain(`${name} is not for the local stack`);
    }
  });

  test("no command's output contains a key", () => {
    expect(keys).toHaveLength(3);
    for (const secret of [...keys, scenario.secrets().modelKey]) expect(outputs).not.toContain(secret);
    expect(outputs).not.toMatch(/knows-this-key|sk-of-somebody-else/);
  });
});
