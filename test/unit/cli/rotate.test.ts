import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRotationRow } from "../../../lib/runs/rotation.ts";
import { connectKeys, giveInput, type FakeSecrets, type FakeWeb } from "../../support/cli-keys.ts";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");
const runId = "01JCZ9V5W3X8K2M4N6P8Q0R2S4";

let local: LocalTable;
let cli: FakeCli;
let secrets: FakeSecrets;
let web: FakeWeb;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

let counter = 0;
let pool = "";
beforeEach(() => {
  pool = `rot${counter++}`;
  cli = fakeCli(local.table, now);
  cli.aws.settings = { pools: [{ name: pool, kind: "user", polling: "economy", rotation: {} }] };
  ({ secrets, web } = connectKeys(cli));
  secrets.set(`${pool}-keys`, "key-1.secret-of-one");
  secrets.set(`${pool}-account`, '{"refreshToken":"refresh","apiKey":"web"}');
  giveInput(cli, "two.secret-of-two\n");
});

const keys = (): unknown => {
  const text = secrets.value(`${pool}-keys`) ?? "";
  return text.startsWith("{") ? JSON.parse(text).keys : [text];
};

async function cycle(reason: string): Promise<void> {
  const { lock } = cli.runStore;
  const atMs = cli.nowMs;
  await lock.acquire({ pool, owner: "w", nowMs: atMs, untilMs: atMs + 60_000 });
  const lastCycle = { reason, atMs, polls: 1, leased: 0, inFlight: 0 };
  await lock.release({ pool, owner: "w" }, { lastCycle });
}

describe("rotate", () => {
  it("promotes a key from standard input, watches for two minutes, and never shows it", async () => {
    const { code, out, err } = await cli.run("rotate");
    expect(code).toBe(0);
    expect(out).toContain(`Pool ${pool} now leases with two; nothing was refused in 2 min.`);
    expect(out).toContain("Revoke key-1 on Studio's page once no job uses it");
    expect(err).toContain("Promoted: the next cycle leases with it");
    expect(out + err).not.toContain("secret-of");
    expect(keys()).toEqual(["two.secret-of-two"]);
    expect(secrets.stages(`${pool}-keys`)).toEqual({
      AWSCURRENT: "00000000-0000-4000-8000-000000000001",
      AWSPREVIOUS: "version-1",
      STUDIO_RUNNER_CLI: "00000000-0000-4000-8000-000000000001",
    });
    expect(cli.nowMs - now).toBe(120_000);
  });

  it("changes nothing when Studio refuses the new key", async () => {
    web.refusedKeys.add("two");
    const answer = await cli.run("rotate", "--json");
    expect(answer.code).toBe(1);
    expect(answer.json()).toMatchObject({ outcome: "refused", newKeys: ["two"] });
    expect(keys()).toEqual(["key-1.secret-of-one"]);
    expect(secrets.stages(`${pool}-keys`)).toEqual({ AWSCURRENT: "version-1" });
  });

  it("rolls back when the key is refused after the promotion", async () => {
    cli.onSleep = async () => void (cli.nowMs > now + 30_000 && web.refusedKeys.add("two"));
    const { code, out } = await cli.run("rotate");
    expect(code).toBe(1);
    expect(out).toContain("Studio refused the new runner key two after the promotion");
    expect(keys()).toEqual(["key-1.secret-of-one"]);
  });

  it("rolls back when a dispatch cycle is refused after the promotion", async () => {
    cli.onSleep = () => cycle("key_refused");
    expect((await cli.run("rotate", "--json")).json()).toMatchObject({ outcome: "rolled_back" });
  });

  it("does not blame the new key for a cycle that the old one was refused in", async () => {
    await cycle("key_refused");
    cli.nowMs += 1_000;
    expect((await cli.run("rotate", "--watch", "10")).code).toBe(0);
    expect(keys()).toEqual(["two.secret-of-two"]);
  });

  it("takes no notice of an open cycle of a slower polling that still had the old key", async () => {
    cli.aws.settings = { pools: [{ name: pool, kind: "user", polling: "balanced" }] };
    cli.onSleep = async () => {
      if (cli.nowMs <= now + 40_000) await cycle("key_refused");
    };
    expect((await cli.run("rotate")).code).toBe(0);
  });

  it("mints as many keys as there are, and says that the rotator revokes the old ones it knows", async () => {
    await createRotationRow(local.table).change(pool, () => [
      { instanceId: "instance-key-1", credentialId: "key-1", createdAtMs: now },
    ]);
    giveInput(cli, "");
    const { code, out } = await cli.run("rotate", "--mint", "--watch", "1");
    expect(code).toBe(0);
    expect(out).toContain(`Pool ${pool} now leases with minted1`);
    expect(out).toContain("The rotator revokes key-1 once no job uses it");
    expect(keys()).toEqual(["minted1.secret-of-minted1"]);
  });

  it.each([
    ["--mint", "", "minted1"],
    ["--watch=1s", "two.secret-of-two", "two"],
  ])("leaves keys of another kind where they are (%s)", async (flag, typed, id) => {
    const instance = (credentialId: string, kind: string) => ({
      instanceId: `instance-${credentialId}`,
      credentialId,
      createdAtMs: now,
      kind,
    });
    const instances = [instance("key-1", "user"), instance("key-g", "global")];
    const value = { keys: ["key-1.secret-of-one", "key-g.secret-of-global"], instances };
    secrets.set(`${pool}-keys`, JSON.stringify(value));
    giveInput(cli, typed);
    const { code, out } = await cli.run("rotate", flag, "--watch", "1");
    expect(code).toBe(0);
    expect(keys()).toEqual([`${id}.secret-of-${id}`, "key-g.secret-of-global"]);
    expect(out).toContain("key-g is of kind global, not of the pool's kind (user), so it stays.");
    expect(out).toMatch(/(?:revokes|Revoke) key-1 /);
  });

  it("needs an account key to mint", async () => {
    cli.aws.settings = { pools: [{ name: pool, kind: "user" }] };
    const { code, err } = await cli.run("rotate", "--mint");
    expect(code).toBe(1);
    expect(err).toContain(`Pool ${pool} has no rotator, and so no account key.`);
  });

  it("sends the first keys to secrets set", async () => {
    const empty = `${pool}-empty`;
    cli.aws.settings = { pools: [{ name: empty, kind: "user" }] };
    const { code, err } = await cli.run("rotate");
    expect(code).toBe(1);
    expect(err).toContain(`Pool ${empty} has no runner keys to rotate.`);
  });

  it.each([
    [["rotate", "three.secret-of-three"], "A key is never given as an argument"],
    [["rotate", "--watch", "soon"], "--watch: Give seconds from 0 to 3600, or a time like 90s or 5m."],
    [["rotate", "--timeout", "0"], "--timeout: Give a time like 90s, 5m, 2h or 7d."],
  ])("refuses %j", async (argv, message) => {
    const { code, err } = await cli.run(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(keys()).toEqual(["key-1.secret-of-one"]);
  });

  it("refuses an empty standard input", async () => {
    giveInput(cli, "\n");
    const { code, err } = await cli.run("rotate");
    expect(code).toBe(2);
    expect(err).toContain("Standard input has no value for the new runner key.");
  });
});

describe("a key that is refused in a rotation", () => {
  it("is named by itself, and not together with the good ones that came with it", async () => {
    giveInput(cli, '["two.secret-of-two","three.secret-of-three"]');
    web.refusedKeys.add("three");
    const { code, out } = await cli.run("rotate");
    expect(code).toBe(1);
    expect(out).toBe(
      `Studio refuses the new runner key three: nothing was changed, and pool ${pool} still leases with its old keys.\n`,
    );
  });

  it("is named as the old key that it is where a key of another kind stays", async () => {
    const instances = [
      { instanceId: "instance-g", credentialId: "key-g", createdAtMs: now, kind: "global" as const },
    ];
    const value = { keys: ["key-1.secret-of-one", "key-g.secret-of-global"], instances };
    secrets.set(`${pool}-keys`, JSON.stringify(value));
    web.refusedKeys.add("key-g");
    const { code, out } = await cli.run("rotate");
    expect(code).toBe(1);
    expect(out).toBe(
      `Studio refuses the old runner key key-g, which the rotation keeps: nothing was changed, and pool ${pool} still leases with its old keys.\n`,
    );
  });

  it("is named by itself after the promotion too", async () => {
    giveInput(cli, '["two.secret-of-two","three.secret-of-three"]');
    cli.onSleep = async () => void web.refusedKeys.add("three");
    const { code, out } = await cli.run("rotate");
    expect(code).toBe(1);
    expect(out).toBe(
      `Studio refused the new runner key three after the promotion: pool ${pool} leases with its old keys again.\n`,
    );
  });

  it("is nobody's in particular where a dispatch cycle was refused", async () => {
    cli.onSleep = () => cycle("key_refused");
    const { out } = await cli.run("rotate");
    expect(out).toBe(
      `Studio refused a dispatch cycle after the promotion: pool ${pool} leases with its old keys again.\n`,
    );
  });

  it("is the account key where the sign-in refuses it, and the runner keys are not to blame", async () => {
    secrets.set(`${pool}-account`, '{"refreshToken":"revoked","apiKey":"web"}');
    const answer = await cli.run("rotate", "--mint", "--json");
    expect(answer.code).toBe(1);
    expect(answer.error()).toEqual({
      code: "refused",
      message: `The account key in the secret "${pool}-account" is refused: Firebase answered 400 INVALID_REFRESH_TOKEN; sign in to Studio again and store the new refresh token.`,
      remedy: "No runner key was changed. Sign in to Studio again: npm run runner -- secrets set account-key",
    });
  });

  it("is the account key where Studio refuses what it signed in as", async () => {
    web.refusesAccount = true;
    const answer = await cli.run("rotate", "--mint", "--json");
    expect(answer.code).toBe(1);
    expect(answer.error()).toMatchObject({
      code: "refused",
      message: expect.stringContaining(`The account key in the secret "${pool}-account" is refused: Studio`),
      remedy: "No runner key was changed. Sign in to Studio again: npm run runner -- secrets set account-key",
    });
  });

  it("is the one that was given, where it is malformed, and not the secret's", async () => {
    giveInput(cli, "no-dot-at-all");
    const { code, err } = await cli.run("rotate");
    expect(code).toBe(2);
    expect(err).toContain(
      'The secret "new runner key" is not of the form credentialId.secret, with one dot.',
    );
    expect(err).not.toContain('The secret "runner-keys"');
  });
});

describe("the time that rotate --watch reports", () => {
  it("is the one until the refusal", async () => {
    cli.onSleep = async () => void (cli.nowMs >= now + 30_000 && web.refusedKeys.add("two"));
    expect((await cli.run("rotate", "--json")).json()).toMatchObject({
      outcome: "rolled_back",
      watchedMs: 30_000,
    });
  });

  it("is the one until Studio's last answer", async () => {
    cli.onSleep = async () => void (cli.nowMs > now + 20_000 && web.silent.add("cloud.xenonflare.com"));
    const { out } = await cli.run("rotate", "--json");
    expect(JSON.parse(out)).toMatchObject({ outcome: "promoted", watchedMs: 20_000 });
  });
});

describe("rotate --finish", () => {
  beforeEach(async () => {
    web.instances.add("instance-key-1");
    await createRotationRow(local.table).change(pool, () => [
      { instanceId: "instance-key-1", credentialId: "key-1", createdAtMs: now },
    ]);
    secrets.set(`${pool}-keys`, "two.secret-of-two");
  });

  it("revokes an old key once it is unused for longer than a cycle can last", async () => {
    const { code, out } = await cli.run("rotate", "--finish");
    expect(code).toBe(0);
    expect(out).toContain("Revoked: key-1.");
    expect(web.instances.size).toBe(0);
    expect(cli.nowMs - now).toBeGreaterThanOrEqual(75_000);
  });

  it("waits for the jobs that use it, and says so at its time-out", async () => {
    await cli.addRun({ runId, pool, leasedAtMs: now - 30_000 });
    const { code, out } = await cli.run("rotate", "--finish", "--timeout", "5m");
    expect(code).toBe(1);
    expect(out).toContain("Still used, or used a moment ago: key-1.");
    expect(web.instances.size).toBe(1);
  });

  it("is not taken together with --mint: they are two things", async () => {
    const { code, err } = await cli.run("rotate", "--finish", "--mint");
    expect(code).toBe(2);
    expect(err).toContain("Error: --finish creates no keys: give --mint or --finish, not both.");
    expect(web.instances.size).toBe(1);
  });

  it("has nothing to do where no old key is known", async () => {
    await createRotationRow(local.table).change(pool, () => []);
    const { code, out } = await cli.run("rotate", "--finish");
    expect(code).toBe(0);
    expect(out).toContain("No old key was revoked.");
  });
});
