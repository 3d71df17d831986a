import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, inject, test } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import type { WorkspaceSummary } from "../../local/studio/page-api.ts";
import { startStudio, type LocalStudio } from "../../local/studio/server.ts";
import { run, start } from "../support/command.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { closedPort } from "../support/free-port.ts";
import { commandLineOf, descendantsOf, isRunning } from "../support/processes.ts";

const folders = mkdtempSync(join(tmpdir(), "studio-runner-command-"));
// Like .local/ in this project, which is a package of ES modules, while the bundles are CommonJS.
writeFileSync(join(folders, "package.json"), JSON.stringify({ type: "module" }));
const temporaryFolder = (): string => mkdtempSync(join(folders, "state-"));
afterAll(() => rmSync(folders, { recursive: true, force: true }));

/** Opens the local Studio's file of a state folder, while no command serves it. */
async function withStudio<T>(stateDir: string, use: (studio: LocalStudio) => T | Promise<T>): Promise<T> {
  const studio = await startStudio({
    file: join(stateDir, "studio.sqlite"),
    port: 0,
    clock: systemClock,
    random: Math.random,
    accountToken: "account",
    info: { kind: "canned", name: "canned" },
  });
  try {
    return await use(studio);
  } finally {
    await studio.close();
  }
}

const queue = (stateDir: string, text: string): Promise<string> =>
  withStudio(stateDir, (studio) => studio.queueJob({ text, target: "user" }));

const workspaces = (stateDir: string): Promise<readonly WorkspaceSummary[]> =>
  withStudio(stateDir, (studio) => studio.snapshot());

describe.concurrent("npm start -- --once", () => {
  test("completes the examples, prints a table and exits with 0", async () => {
    const stateDir = temporaryFolder();
    const { code, stdout, stderr } = await run(["--once", "--state-dir", stateDir]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const [titles, ...rows] = stdout.slice(stdout.indexOf("\nWORKSPACE ")).trim().split("\n");
    expect(titles).toMatch(/^WORKSPACE +OUTCOME +SECONDS +TOKENS +COST \(INVENTED\) +DELIVERABLES$/);
    expect(
      rows
        .slice(0, 3)
        .map((row) => row.replace(/ {2,}.*/, ""))
        .toSorted(),
    ).toEqual([
      "Launch of a coffee subscription",
      "Photo sharing for sports clubs",
      "Slow checkout in the evening",
    ]);
    for (const row of rows.slice(0, 3))
      expect(row).toMatch(/^\w.+ {2}completed +\d+\.\d +\d+ +\$0\.\d+ +\d+ \w+/);
    expect(rows.slice(3)).toEqual([
      "",
      `3 jobs: 3 completed. Read the answers: npm start -- --state-dir ${stateDir}`,
    ]);
    expect(stdout).not.toMatch(/ws_\w/);
    expect(stdout).toContain("canned answers of the offline model");
    expect((await workspaces(stateDir)).map(({ state }) => state)).toEqual([
      "completed",
      "completed",
      "completed",
    ]);
  });

  test("exits with 1 when a job fails, and the table says why", async () => {
    const stateDir = temporaryFolder();
    await queue(stateDir, "Plan a launch. [[refuse]]");
    const { code, stdout } = await run(["--once", "--state-dir", stateDir], {
      bundles: inject("bundlesFolder"),
    });
    expect(code).toBe(1);
    expect(stdout).toContain("The model declined: I can't help with that request.");
    expect(stdout).toMatch(
      /^Plan a launch\. \[\[refuse\]\] +failed: model_refused +\d+\.\d +\d+ +\$0\.\d+$/m,
    );
    expect(stdout).toContain("1 job: 0 completed, 1 not.");
  });

  test("exits with 1 when Studio cannot be reached, and does not call the queue empty", async () => {
    const base = `http://127.0.0.1:${await closedPort()}`;
    const env = { RUNNER_API_BASE: base, RUNNER_TOKEN: "cred_1.not-shown-anywhere" };
    const { code, stdout, stderr } = await run(["--once", "--state-dir", temporaryFolder()], { env });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `npm start: RUNNER_API_BASE: Studio at ${base} could not be reached: ECONNREFUSED, check the address and that Studio is running there`,
    );
    expect(stdout).toBe("Trying the keys …\n");
    expect(stdout + stderr).not.toContain("not-shown-anywhere");
  });
});

describe.concurrent("npm start refuses, with a sentence and exit code 1,", () => {
  const fails = async (
    args: readonly string[],
    options: { readonly env?: Readonly<Record<string, string>>; readonly folder?: string } = {},
  ): Promise<string> => {
    const { code, stderr, stdout } = await run(["--state-dir", temporaryFolder(), ...args], options);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^npm start: /);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout.replace("Building the functions and starting the stack …", "").trim()).toBe("");
    return stderr.replace("npm start: ", "").trim();
  };

  test("an unknown flag", async () => {
    const said = await fails(["--onec"]);
    expect(said).toContain("Unknown option '--onec'");
    expect(said).toContain('Run "npm start -- --help" to see what there is.');
  });

  test.each([
    [["--port", "zero"], '--port takes a whole number from 1 to 65535, not "zero"'],
    [["--concurrency", "0"], '--concurrency takes a whole number from 1 to 1000, not "0"'],
    [["--state-dir", " "], "--state-dir takes a folder, not an empty text"],
  ] as const)("the value of a flag: %j", async (args, sentence) => {
    expect(await fails(args)).toBe(sentence);
  });

  test.each([
    [
      "a malformed runner key",
      { RUNNER_TOKEN: "hunter2" },
      'the secret "RUNNER_TOKEN" is not of the form credentialId.secret, with one dot',
    ],
    [
      "an address without a key",
      { RUNNER_API_BASE: "https://studio.example.com" },
      "RUNNER_API_BASE is set but RUNNER_TOKEN is not: set the Studio's runner key too",
    ],
    [
      "an address that is none",
      { RUNNER_API_BASE: "studio", RUNNER_TOKEN: "cred_1.hunter2" },
      'RUNNER_API_BASE is not an address: "studio". Give one like https://studio.example.com',
    ],
    [
      "a malformed model key",
      { OPENAI_API_KEY: "sk-..." },
      'the secret "OPENAI_API_KEY" is a placeholder; store the real key',
    ],
  ] as const)("%s", async (_, env, sentence) => {
    expect(await fails(["--once"], { env })).toBe(sentence);
  });

  test("an invalid value in a .env file", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, ".env"), "RUNNER_TOKEN='hunter2'\n");
    expect(await fails(["--once"], { folder })).toContain('"RUNNER_TOKEN" is not of the form');
  });

  test("a port that is in use", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => resolve((other.address() as { port: number }).port));
    });
    const said = await fails(["--port", String(port)]);
    other.close();
    expect(said).toBe(
      `port ${port} is already in use by another program. Choose another one with --port, such as --port ${port + 1}`,
    );
  });

  test("a damaged SQLite file, which it leaves as it is", async () => {
    const stateDir = temporaryFolder();
    const file = join(stateDir, "studio.sqlite");
    writeFileSync(file, "this was a database once, and now it is a letter".repeat(100));
    const before = readFileSync(file);
    const said = await fails(["--state-dir", stateDir]);
    expect(said).toBe(
      `${file} is not a SQLite file, or is damaged. Move it away or delete it, and start again: a new one is created`,
    );
    expect(readFileSync(file)).toEqual(before);
  });

  test("a state folder that another npm start uses", async () => {
    const stateDir = temporaryFolder();
    const said = await withStudio(stateDir, () => fails(["--once", "--state-dir", stateDir]));
    expect(said).toContain("is in use by another local Studio. Stop that one, or name another file");
  });

  test("a state folder that is a file", async () => {
    const file = join(temporaryFolder(), "state");
    writeFileSync(file, "");
    expect(await fails(["--state-dir", file])).toContain("cannot be made: there is a file with this name");
  });

  test("a state folder that cannot be created", async () => {
    expect(await fails(["--state-dir", "/proc/nope"])).toContain("the folder /proc/nope cannot be made");
  });
});

describe.concurrent("Ctrl-C", () => {
  const serve = async (stateDir: string) =>
    start(["--port", String(await closedPort()), "--state-dir", stateDir], {
      bundles: inject("bundlesFolder"),
    });

  test("stops leasing, lets running jobs end, and leaves no process behind", async () => {
    const stateDir = temporaryFolder();
    await queue(stateDir, "Plan a launch. [[rounds:1]]");
    const command = await serve(stateDir);
    await command.printed("started working");
    const pids = descendantsOf(command.child.pid!);
    expect(pids.map(commandLineOf)).toContain("studio-runner pool-local-dispatcher");

    command.child.kill("SIGINT");
    const { code, stdout, stderr } = await command.ended;

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(
      "Stopping: no new leases, running jobs get 10 s. Press Ctrl-C again to stop at once.",
    );
    expect(pids.filter(isRunning)).toEqual([]);
    expect((await workspaces(stateDir)).map(({ state }) => state)).toEqual(["completed"]);
  });

  test("ends a job that takes too long after ten seconds, and the job returns when its lease expires", async () => {
    const stateDir = temporaryFolder();
    await queue(stateDir, "Plan a launch. [[slow:120000]]");
    const command = await serve(stateDir);
    await command.printed("started working");
    const pids = descendantsOf(command.child.pid!);

    command.child.kill("SIGINT");
    const { code } = await command.ended;

    expect(code).toBe(0);
    expect(pids.filter(isRunning)).toEqual([]);
    expect(await workspaces(stateDir)).toMatchObject([{ state: "leased", failure: null }]);
  });

  test("pressed twice ends npm start at once, and leaves no process behind", async () => {
    const stateDir = temporaryFolder();
    await queue(stateDir, "Plan a launch. [[slow:120000]]");
    const command = await serve(stateDir);
    await command.printed("started working");
    const pids = descendantsOf(command.child.pid!);

    command.child.kill("SIGINT");
    await command.printed("Stopping");
    command.child.kill("SIGINT");
    const { code } = await command.ended;

    expect(code).toBe(130);
    await eventuallyTrue("all processes are gone", () => !pids.some(isRunning));
  });
});
