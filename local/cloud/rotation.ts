import { randomUUID } from "node:crypto";
import { ServiceError } from "./errors.ts";
import { rotationSteps, type RotationStep } from "./events.ts";
import type { LambdaService } from "./lambda-service.ts";
import type { CloudPorts } from "./ports.ts";
import type { RotationResource, RotationRules } from "./resources.ts";
import { holderOf, type StoredSecret } from "./secrets.ts";

export interface RotationRequest {
  /** The id of the new version. */
  readonly token: string | undefined;
  /** Replaces the function in the secret's settings. */
  readonly functionArn: string | undefined;
  readonly rules: RotationRules | undefined;
  /** False: runs only the test step, on a pending copy of the current value. */
  readonly now: boolean;
}

/** Secrets Manager's rotations. They run on request only, never on a schedule. */
export interface Rotations {
  /**
   * Starts a rotation in the background and returns the new version's id.
   * @throws ServiceError `InvalidRequestException`
   */
  start(secret: StoredSecret, request: RotationRequest): string;
  /** Ends the schedule. Returns the pending version that is left, if any. */
  cancel(secret: StoredSecret): string | undefined;
  describe(secret: StoredSecret): object;
}

/** Secrets Manager waits for hours before it repeats a failed rotation. */
type RotationPorts = Pick<
  CloudPorts,
  "clock" | "emit" | "activity" | "secrets" | "retryDelaysMs" | "closing"
> & { readonly lambda: Pick<LambdaService, "invoke"> };

interface Settings {
  readonly functionArn: string | undefined;
  readonly rules: RotationRules | undefined;
  readonly enabled: boolean;
  readonly rotatedMs: number | undefined;
  /** Prevents further tries. */
  readonly cancelled: AbortController;
}

interface Job {
  readonly secret: StoredSecret;
  readonly functionArn: string;
  readonly token: string;
}

export function createRotations(ports: RotationPorts, configured: readonly RotationResource[]): Rotations {
  const { secrets, activity } = ports;
  const settings = new Map<string, Settings>();
  const settingsOf = ({ arn, name }: StoredSecret): Settings => {
    const known = settings.get(arn);
    if (known !== undefined) return known;
    const found = configured.find(({ secretId }) => secretId === arn || secretId === name);
    const own = { functionArn: found?.functionArn, rules: found?.rules, enabled: found !== undefined };
    return { ...own, rotatedMs: undefined, cancelled: new AbortController() };
  };
  async function rotateAll(job: Job, signal: AbortSignal): Promise<void> {
    const { secret, token } = job;
    secrets.reserve(secret.name, token);
    if (!(await rotate(ports, job, signal))) return;
    settings.set(secret.arn, { ...settingsOf(secret), rotatedMs: ports.clock.now() });
  }
  return {
    start(secret, { token = randomUUID(), functionArn, rules, now }) {
      const present = settingsOf(secret);
      const chosen = functionArn ?? present.functionArn;
      if (chosen === undefined) {
        throw invalid("No Lambda rotation function ARN is associated with this secret.");
      }
      checkPending(secret, token);
      const cancelled = new AbortController();
      const changed = { functionArn: chosen, rules: rules ?? present.rules, enabled: true, cancelled };
      settings.set(secret.arn, { ...present, ...changed });
      const job = { secret, functionArn: chosen, token };
      const work = now
        ? rotateAll(job, AbortSignal.any([cancelled.signal, ports.closing]))
        : testOnly(ports, job);
      void activity.track(work);
      return token;
    },
    cancel(secret) {
      const present = settingsOf(secret);
      present.cancelled.abort();
      settings.set(secret.arn, { ...present, enabled: false });
      return leftOver(secret);
    },
    describe: (secret) => describe(settingsOf(secret)),
  };
}

const describe = ({ functionArn, rules, enabled, rotatedMs }: Settings): object => ({
  RotationEnabled: enabled,
  RotationLambdaARN: functionArn,
  RotationRules: rules,
  ...(rotatedMs === undefined ? {} : { LastRotatedDate: rotatedMs / 1_000 }),
});

const invalid = (message: string): ServiceError => new ServiceError("InvalidRequestException", message);

/** A pending version that is not current means that a rotation has not ended. */
function leftOver(secret: StoredSecret): string | undefined {
  const pending = holderOf(secret, "AWSPENDING");
  return pending === holderOf(secret, "AWSCURRENT") ? undefined : pending;
}

function checkPending(secret: StoredSecret, token: string): void {
  const pending = leftOver(secret);
  if (pending === undefined || pending === token) return;
  throw invalid("A previous rotation isn't complete. That rotation will be reattempted.");
}

/** Runs all four steps, and starts over if one fails. Returns whether the rotation succeeded. */
async function rotate(ports: RotationPorts, job: Job, signal: AbortSignal): Promise<boolean> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    if (await runSteps(ports, job)) return true;
    const delayMs = ports.retryDelaysMs[attempt];
    if (delayMs === undefined) return false;
    await ports.clock.sleep(delayMs, signal).catch(() => undefined); // on cancellation the loop ends
  }
  return false;
}

async function runSteps(ports: RotationPorts, job: Job): Promise<boolean> {
  for (const step of rotationSteps) {
    if (!(await runStep(ports, job, step))) return false;
  }
  const { secret, token } = job;
  const promoted = holderOf(secret, "AWSCURRENT") === token;
  report(ports, job, { step: "all", reason: promoted ? undefined : "the new version is not AWSCURRENT" });
  return promoted;
}

/** Stages the current value as pending, runs the test step, and removes the stage. */
async function testOnly(ports: RotationPorts, job: Job): Promise<void> {
  const { secrets } = ports;
  const { secret, token } = job;
  const { value } = secrets.get(secret.name).version;
  secrets.put(secret.name, { value, versionId: token, stages: ["AWSPENDING"] });
  await runStep(ports, job, "testSecret");
  secrets.moveStage(secret.name, { stage: "AWSPENDING", fromVersion: token });
}

/** Never rejects. */
async function runStep(ports: RotationPorts, job: Job, step: RotationStep): Promise<boolean> {
  const { secret, functionArn, token } = job;
  const event = { Step: step, SecretId: secret.arn, ClientRequestToken: token };
  const payload = JSON.stringify(event);
  const reason = await ports.lambda
    .invoke({ functionName: functionArn, payload, type: "RequestResponse" })
    .then((result) => (result.functionError === undefined ? undefined : (result.payload ?? "failed")))
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  report(ports, job, { step, reason });
  return reason === undefined;
}

interface StepEnd {
  readonly step: RotationStep | "all";
  /** Why the step failed. */
  readonly reason: string | undefined;
}

function report({ emit }: RotationPorts, { secret, token }: Job, { step, reason }: StepEnd): void {
  const outcome = reason === undefined ? "done" : "failed";
  emit({ kind: "rotation", secret: secret.name, versionId: token, step, outcome, reason });
}
