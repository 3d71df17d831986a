import { beforeEach, describe, expect, it } from "vitest";
import { createRotationRow } from "../../../lib/runs/rotation.ts";
import { giveInput } from "../../support/cli-keys.ts";
import {
  addCycle,
  cli,
  expectRun,
  local,
  now,
  pool,
  runId,
  secrets,
  settle,
  setUpCli,
  web,
} from "./set-up.ts";

setUpCli({ polling: "economy", rotation: {} });
beforeEach(() => {
  secrets.set(`${pool}-keys`, "key-1.secret-of-one");
  secrets.set(`${pool}-account`, '{"refreshToken":"refresh","apiKey":"web"}');
  giveInput(cli, "two.secret-of-two\n");
});

const keys = (): unknown => {
  const text = secrets.value(`${pool}-keys`) ?? "";
  return text.startsWith("{") ? JSON.parse(text).keys : [text];
};

const first = {
  instanceId: "instance-key-1",
  credentialId: "key-1",
  createdAtMs: now,
  kind: "user",
} as const;
const other = { ...first, instanceId: "instance-key-g", credentialId: "key-g", kind: "global" } as const;

/** Stores one key of the pool's kind and one of the other kind. */
function storeKeysOfTwoKinds(): void {
  const value = { keys: ["key-1.secret-of-one", "key-g.secret-of-global"], instances: [first, other] };
  secrets.set(`${pool}-keys`, JSON.stringify(value));
}

const rememberFirstKey = (): Promise<unknown> => createRotationRow(local.table).change(pool, () => [first]);

describe("rotate", () => {
  it("promotes a key from standard input, watches it for two minutes, and never prints it", async () => {
    const { out, err } = await expectRun("rotate", 0, "nothing was refused in 2 min", "Revoke key-1");
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
    const answer = await expectRun("rotate --json", 1);
    expect(answer.json()).toMatchObject({ outcome: "refused", newKeys: ["two"] });
    expect(keys()).toEqual(["key-1.secret-of-one"]);
    expect(secrets.stages(`${pool}-keys`)).toEqual({ AWSCURRENT: "version-1" });
  });

  it("rolls back when the key is refused after the promotion, and reports how long it was watched", async () => {
    cli.onSleep = async () => void (cli.nowMs >= now + 30_000 && web.refusedKeys.add("two"));
    const answer = await expectRun("rotate --json", 1);
    expect(answer.json()).toMatchObject({ outcome: "rolled_back", watchedMs: 30_000 });
    expect(keys()).toEqual(["key-1.secret-of-one"]);
  });

  it("rolls back when a dispatch cycle is refused after the promotion, without naming a key", async () => {
    cli.onSleep = () => addCycle("key_refused");
    await expectRun("rotate", 1, "Studio refused a dispatch cycle after the promotion");
    expect(keys()).toEqual(["key-1.secret-of-one"]);
  });

  it("reports the time up to Studio's last answer as the time watched", async () => {
    cli.onSleep = async () => void (cli.nowMs > now + 20_000 && web.silent.add("cloud.xenonflare.com"));
    const { out } = await cli.run("rotate", "--json");
    expect(JSON.parse(out)).toMatchObject({ outcome: "promoted", watchedMs: 20_000 });
  });

  it("keeps the new key when a cycle before the promotion was refused", async () => {
    await addCycle("key_refused");
    cli.nowMs += 1_000;
    await expectRun("rotate --watch 10", 0);
    expect(keys()).toEqual(["two.secret-of-two"]);
  });

  it("ignores a refused cycle that was still open with the old key under balanced polling", async () => {
    settle({ pools: [{ name: pool, kind: "user", polling: "balanced" }] });
    cli.onSleep = async () => {
      if (cli.nowMs <= now + 40_000) await addCycle("key_refused");
    };
    await expectRun("rotate", 0);
  });

  it("creates new keys with --mint, and reports that the rotator revokes the old keys it knows", async () => {
    await rememberFirstKey();
    giveInput(cli, "");
    await expectRun("rotate --mint --watch 1", 0, "now leases with minted1", "The rotator revokes key-1");
    expect(keys()).toEqual(["minted1.secret-of-minted1"]);
  });

  it.each([
    ["--mint", "", "minted1"],
    ["--watch=1s", "two.secret-of-two", "two"],
  ])("keeps keys of another kind than the pool's (%s)", async (flag, typed, id) => {
    storeKeysOfTwoKinds();
    giveInput(cli, typed);
    const stays = "key-g is of kind global, not of the pool's kind (user), so it stays.";
    await expectRun(`rotate ${flag} --watch 1`, 0, stays, /(?:revokes|Revoke) key-1 /);
    expect(keys()).toEqual([`${id}.secret-of-${id}`, "key-g.secret-of-global"]);
  });

  it("requires an account key for --mint", async () => {
    settle({});
    await expectRun("rotate --mint", 1, `Pool ${pool} has no rotator, and so no account key.`);
  });

  it("refuses when the pool has no runner keys yet", async () => {
    const empty = `${pool}-empty`;
    settle({ pools: [{ name: empty, kind: "user" }] });
    await expectRun("rotate", 1, `Pool ${empty} has no runner keys to rotate.`);
  });

  it.each([
    [["three.secret-of-three"], "two.secret-of-two", "A key is never given as an argument"],
    [["--watch", "soon"], "", "--watch: Give seconds from 0 to 3600, or a time like 90s or 5m."],
    [["--timeout", "0"], "", "--timeout: Give a time like 90s, 5m, 2h or 7d."],
    [["--finish", "--mint"], "", "--finish creates no keys: give --mint or --finish, not both."],
    [[], "\n", "Standard input has no value for the new runner key."],
    [[], "no-dot", 'The secret "new runner key" is not of the form credentialId.secret, with one dot.'],
  ])("rejects %j with %j on standard input", async (argv, input, message) => {
    giveInput(cli, input);
    await expectRun(["rotate", ...argv], 2, message);
    expect(keys()).toEqual(["key-1.secret-of-one"]);
  });
});

describe("a key that is refused in a rotation", () => {
  it("is the only key named in the error, not the valid ones given with it", async () => {
    giveInput(cli, '["two.secret-of-two","three.secret-of-three"]');
    web.refusedKeys.add("three");
    await expectRun("rotate", 1, "Studio refuses the new runner key three: nothing was changed");
  });

  it("is named as an old key when it is of another kind, which the rotation keeps", async () => {
    storeKeysOfTwoKinds();
    web.refusedKeys.add("key-g");
    await expectRun("rotate", 1, "Studio refuses the old runner key key-g, which the rotation keeps");
    expect(keys()).toHaveLength(2);
  });

  it("is the only key named after the promotion too", async () => {
    giveInput(cli, '["two.secret-of-two","three.secret-of-three"]');
    cli.onSleep = async () => void web.refusedKeys.add("three");
    await expectRun("rotate", 1, "Studio refused the new runner key three after the promotion");
  });

  const revoked = '{"refreshToken":"revoked","apiKey":"web"}';

  it.each([
    ["the sign-in refuses it", () => secrets.set(`${pool}-account`, revoked), "Firebase answered 400"],
    ["Studio refuses the account's token", () => void (web.refusesAccount = true), "Studio"],
  ])("is reported as the account key when %s", async (_, arrange, answered) => {
    arrange();
    const message = `The account key in the secret "${pool}-account" is refused: ${answered}`;
    await expectRun("rotate --mint", 1, message, "No runner key was changed. Sign in to Studio again");
  });
});

describe("rotate --finish", () => {
  beforeEach(async () => {
    web.instances.add("instance-key-1");
    await rememberFirstKey();
    secrets.set(`${pool}-keys`, "two.secret-of-two");
  });

  it("revokes an old key once it has been unused for longer than a cycle can last", async () => {
    await expectRun("rotate --finish", 0, "Revoked: key-1.");
    expect(web.instances.size).toBe(0);
    expect(cli.nowMs - now).toBeGreaterThanOrEqual(75_000);
  });

  it("waits for jobs that use the old key, and reports the key at its timeout", async () => {
    await cli.addRun({ runId, pool, leasedAtMs: now - 30_000 });
    await expectRun("rotate --finish --timeout 5m", 1, "Still used, or used a moment ago: key-1.");
    expect(web.instances.size).toBe(1);
  });

  it("revokes nothing when no old key is known", async () => {
    await createRotationRow(local.table).change(pool, () => []);
    await expectRun("rotate --finish", 0, "No old key was revoked.");
  });
});
