import type { RetentionDays } from "aws-cdk-lib/aws-logs";

// Written by `npm run api-docs` from the schema of the settings (infra/settings-schema.ts).

/** What a runner does, and how. Every prop has a default. */
export interface StudioRunnerProps {
  /**
   * Where Xenonflare Studio is.
   * @default - the defaults of its props
   */
  readonly studio?: StudioOptions | undefined;
  /**
   * The model that does the jobs, and its provider.
   * @default - the defaults of its props
   */
  readonly inference?: InferenceOptions | undefined;
  /**
   * Prices, for estimated costs and daily caps.
   * @default - the defaults of its props
   */
  readonly spend?: SpendOptions | undefined;
  /**
   * The queues of jobs, at most 10.
   * @default [{ name: "default", kind: "user" }]
   */
  readonly pools?: readonly PoolOptions[] | undefined;
  /**
   * An existing table for the run store: keys `pool` and `id` (strings), TTL attribute
   * `expiresAtSeconds`, index `open`.
   * @default - the stack creates a table
   */
  readonly runStoreTableArn?: string | undefined;
  /**
   * Customer-managed KMS keys.
   * @default - the defaults of its props
   */
  readonly encryption?: EncryptionOptions | undefined;
  /**
   * The VPC in which the functions run.
   * @default - no VPC
   */
  readonly network?: NetworkOptions | undefined;
  /**
   * For every role of the stack.
   * @default - the defaults of its props
   */
  readonly iam?: IamOptions | undefined;
  /**
   * What the name of every resource begins with, such as `acme-prod`.
   * @default - CloudFormation makes the names
   */
  readonly namePrefix?: string | undefined;
  /**
   * The AWS endpoints that the functions use.
   * @default - the defaults of its props
   */
  readonly endpoints?: EndpointOptions | undefined;
  /**
   * How long CloudWatch keeps log lines.
   * @default 30
   */
  readonly logRetentionDays?: RetentionDays | undefined;
  /**
   * `infrequent-access` costs half, has no metrics, requires `monitoring.level` `off`, and cannot be
   * read by this project's commands.
   * @default "standard"
   */
  readonly logClass?: "standard" | "infrequent-access" | undefined;
  /**
   * The least important log lines that are written.
   * @default "info"
   */
  readonly logLevel?: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | undefined;
  /**
   * What happens to the run store when the stack is deleted.
   * @default "retain"
   */
  readonly removalPolicy?: "destroy" | "retain" | undefined;
  /**
   * Alarms, dashboards and traces.
   * @default - the defaults of its props
   */
  readonly monitoring?: MonitoringOptions | undefined;
  /**
   * Where the command `check-update` looks for releases.
   * @default - nowhere
   */
  readonly updates?: UpdateOptions | undefined;
  /**
   * Tags of every resource, at most 50.
   * @default - none
   */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** One queue of jobs, with its own keys, functions and limits. */
export interface PoolOptions {
  /**
   * The pool's name, also the dimension of its metrics: give it once per account and region, across
   * stacks too.
   */
  readonly name: string;
  /**
   * Whose jobs the pool's keys lease: `user`, those of the user who made the keys; `global`, everyone's
   * (administrators only).
   */
  readonly kind: "user" | "global";
  /**
   * How often the dispatcher asks Studio for work; see the table of polling modes.
   * @default "balanced"
   */
  readonly polling?: "economy" | "balanced" | "fast" | undefined;
  /**
   * The maximum number of runs in flight. `set-concurrency` changes it without a deploy.
   * @default 10
   */
  readonly concurrency?: number | undefined;
  /**
   * The maximum number of leases that one runner key holds at once.
   * @default - no limit
   */
  readonly leasesPerKey?: number | undefined;
  /**
   * Estimated spending on the model per UTC day at which leasing stops; running jobs continue. `set-cap`
   * changes it without a deploy.
   * @default - no cap
   */
  readonly dailyCapUsd?: number | undefined;
  /**
   * A run that lasts longer fails with that reason. At most 190 with the processor's default timeout.
   * @default 60
   */
  readonly runLimitMinutes?: number | undefined;
  /**
   * An existing secret with the pool's runner keys.
   * @default - the stack creates an empty secret
   */
  readonly keySecretArn?: string | undefined;
  /**
   * The KMS key of the secret in `keySecretArn`.
   * @default - that of `encryption`
   */
  readonly keySecretKmsKeyArn?: string | undefined;
  /**
   * Creates the rotator, which replaces runner keys. `{}` rotates only on request.
   * @default - no rotator
   */
  readonly rotation?: RotationOptions | undefined;
  /**
   * The function that runs a job.
   * @default - the defaults of its props
   */
  readonly processor?: ProcessorOptions | undefined;
  /**
   * The function that looks for jobs.
   * @default - the defaults of its props
   */
  readonly dispatcher?: DispatcherOptions | undefined;
}

/** The function that runs a job. */
export interface ProcessorOptions {
  /**
   * Memory of the processor, the function that runs a job.
   * @default 256
   */
  readonly memoryMb?: number | undefined;
  /**
   * The longest that one attempt lasts. A longer job continues in another attempt.
   * @default 900
   */
  readonly timeoutSeconds?: number | undefined;
  /**
   * Invocations that Lambda keeps free for this function and allows it at most; at least `concurrency`.
   * @default - none
   */
  readonly reservedConcurrency?: number | undefined;
}

/** The function that looks for jobs. */
export interface DispatcherOptions {
  /**
   * Memory of the dispatcher, the function that looks for jobs; with it comes its share of a CPU.
   * @default 150
   */
  readonly memoryMb?: number | undefined;
  /**
   * Time limit of the dispatcher; longer than the polling of one cycle.
   * @default 75
   */
  readonly timeoutSeconds?: number | undefined;
}

/** The function that replaces runner keys. */
export interface RotationOptions {
  /**
   * Days between scheduled rotations.
   * @default - rotates only on request
   */
  readonly everyDays?: number | undefined;
  /**
   * An existing secret with the account's sign-in, `{ refreshToken, apiKey }`.
   * @default - the stack creates an empty secret
   */
  readonly accountKeySecretArn?: string | undefined;
  /**
   * The KMS key of the secret in `accountKeySecretArn`.
   * @default - that of `encryption`
   */
  readonly accountKeySecretKmsKeyArn?: string | undefined;
}

/** The model that does the jobs, and its provider. */
export interface InferenceOptions {
  /**
   * `openai` is OpenAI or a server with its Responses API; `bedrock` is Amazon Bedrock, without a model
   * key.
   * @default "openai"
   */
  readonly provider?: "openai" | "bedrock" | undefined;
  /**
   * Amazon Bedrock's endpoint. Only `mantle` can generate in the background.
   * @default - `mantle`
   */
  readonly endpoint?: "mantle" | "runtime" | undefined;
  /**
   * Amazon Bedrock's region.
   * @default - the stack's region
   */
  readonly region?: string | undefined;
  /**
   * The model that does the jobs.
   * @default "gpt-6-luna"
   */
  readonly model?: string | undefined;
  /**
   * The model that summarizes a workspace's earlier messages.
   * @default - `model`
   */
  readonly summaryModel?: string | undefined;
  /**
   * The address of another server with a Responses API.
   * @default - OpenAI's address
   */
  readonly baseUrl?: string | undefined;
  /**
   * How rounds are requested. `background`: a broken stream is resumed, by a later invocation too.
   * `streaming`: a broken stream is requested again. `auto`: `background` if the provider supports it
   * and `store` is on.
   * @default "auto"
   */
  readonly mode?: "auto" | "background" | "streaming" | undefined;
  /**
   * How hard the model thinks, if it supports the value. Less effort uses fewer tokens.
   * @default - the model's own default
   */
  readonly reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max" | undefined;
  /**
   * `flex` is slower for half the price, `priority` faster for twice the price. While `flex` has no
   * capacity, a job waits for up to two minutes in all, then uses `auto` (log line `tier_fallback`,
   * metric `TierFallbacks`).
   * @default - the default of the provider's project
   */
  readonly serviceTier?: "auto" | "default" | "flex" | "priority" | undefined;
  /**
   * Tools that run at the provider, which bills them in addition to tokens: `web_search` costs 0.01 USD
   * per search.
   * @default - none
   */
  readonly hostedTools?: readonly "web_search"[] | undefined;
  /**
   * Your own instructions, added to the built-in ones and sent with every round.
   * @default - none
   */
  readonly instructions?: string | undefined;
  /**
   * A text file with your own instructions, instead of `instructions`.
   * @default - none
   */
  readonly instructionsFile?: string | undefined;
  /**
   * Maximum output tokens of one round, including reasoning. A round that reaches it fails the job.
   * @default - the model's own limit
   */
  readonly maxOutputTokens?: number | undefined;
  /**
   * Whether the provider keeps responses. `false`, for projects with zero data retention, sends the
   * whole conversation in each round; a restarted attempt then starts over.
   * @default true
   */
  readonly store?: boolean | undefined;
  /**
   * An existing secret with the model key.
   * @default - the stack creates an empty secret
   */
  readonly keySecretArn?: string | undefined;
  /**
   * The KMS key of the secret in `keySecretArn`.
   * @default - that of `encryption`
   */
  readonly keySecretKmsKeyArn?: string | undefined;
  /**
   * The processor's AWS identity in place of a model key.
   * @default - a model key
   */
  readonly workloadIdentity?: WorkloadIdentityOptions | undefined;
}

/** The processor's AWS identity in place of a model key. */
export interface WorkloadIdentityOptions {
  /**
   * The id of the identity provider at OpenAI.
   */
  readonly identityProviderId: string;
  /**
   * The id of the service account whose access the processor gets.
   */
  readonly serviceAccountId: string;
  /**
   * The audience for which AWS signs the identity.
   * @default "https://api.openai.com/v1"
   */
  readonly audience?: string | undefined;
  /**
   * Where the identity is exchanged for a token.
   * @default - OpenAI's address
   */
  readonly tokenUrl?: string | undefined;
}

/** Prices, for estimated costs and daily caps. */
export interface SpendOptions {
  /**
   * Prices by model name, for models that the built-in table lacks or has other prices for.
   * @default - the built-in table
   */
  readonly prices?: Readonly<Record<string, PriceOptions>> | undefined;
  /**
   * The date of the prices, shown next to every estimate. `doctor` warns after 180 days.
   * @default "2026-10-04"
   */
  readonly pricesAsOf?: string | undefined;
  /**
   * What the provider's service tiers cost.
   * @default - the defaults of its props
   */
  readonly tiers?: TierOptions | undefined;
  /**
   * US dollars per search by the hosted tool `web_search`.
   * @default 0.01
   */
  readonly webSearchUsd?: number | undefined;
}

/** The prices of one model. */
export interface PriceOptions {
  /**
   * US dollars per million input tokens.
   */
  readonly inputPerMillionUsd: number;
  /**
   * US dollars per million input tokens that were read from the provider's cache.
   */
  readonly cachedInputPerMillionUsd: number;
  /**
   * US dollars per million input tokens that the provider writes to its cache.
   * @default - 1.25 times the input price
   */
  readonly cacheWritePerMillionUsd?: number | undefined;
  /**
   * US dollars per million output tokens, including reasoning.
   */
  readonly outputPerMillionUsd: number;
}

/** What the provider's service tiers cost. */
export interface TierOptions {
  /**
   * Factor on the prices in the service tier `flex`.
   * @default 0.5
   */
  readonly flex?: number | undefined;
  /**
   * Factor on the prices in the service tier `priority`.
   * @default 2
   */
  readonly priority?: number | undefined;
}

/** Alarms, dashboards and traces. */
export interface MonitoringOptions {
  /**
   * `full`: dashboards, all alarms, and one that pages; `lean`: four alarms that page; `off`: none.
   * @default "full"
   */
  readonly level?: "full" | "lean" | "off" | undefined;
  /**
   * Receives the alarms, once its owner has confirmed the subscription.
   * @default - none
   */
  readonly email?: string | undefined;
  /**
   * The percentage of failed runs that raises the alarm FailureRate.
   * @default 20
   */
  readonly failurePercent?: number | undefined;
  /**
   * An existing SNS topic that receives the alarms.
   * @default - the stack creates a topic
   */
  readonly topicArn?: string | undefined;
  /**
   * When alarms fire.
   * @default - the defaults of its props
   */
  readonly thresholds?: ThresholdOptions | undefined;
  /**
   * `xray` traces every function.
   * @default "off"
   */
  readonly tracing?: "off" | "xray" | undefined;
  /**
   * The number of characters of a job's newest message to log; 0 logs none.
   * @default 0
   */
  readonly previewCharacters?: number | undefined;
}

/** When alarms fire. */
export interface ThresholdOptions {
  /**
   * NoGoodPoll: cycles in a row without a good poll.
   * @default 5
   */
  readonly noGoodPollCycles?: number | undefined;
  /**
   * LostLeases: lost runs in 15 minutes.
   * @default - a tenth of `concurrency`, at least 2
   */
  readonly lostLeases?: number | undefined;
  /**
   * Restarts: restarts in 15 minutes.
   * @default - a fifth of `concurrency`, at least 3
   */
  readonly restarts?: number | undefined;
  /**
   * LeaseNearlyGone: percentage of the lease that is left when an attempt starts.
   * @default 50
   */
  readonly leaseLeftPercent?: number | undefined;
  /**
   * RunTimeNearLimit: run time as a percentage of `runLimitMinutes`.
   * @default 80
   */
  readonly runTimePercent?: number | undefined;
  /**
   * DispatcherErrors: failed cycles in 5 minutes.
   * @default 3
   */
  readonly dispatcherErrors?: number | undefined;
}

/** Customer-managed KMS keys. */
export interface EncryptionOptions {
  /**
   * A customer-managed KMS key for everything that has no key of its own below.
   * @default - AWS's own encryption
   */
  readonly keyArn?: string | undefined;
  /**
   * The KMS key of the run store.
   * @default - `keyArn`
   */
  readonly tableKeyArn?: string | undefined;
  /**
   * The KMS key of the secrets.
   * @default - `keyArn`
   */
  readonly secretsKeyArn?: string | undefined;
  /**
   * The KMS key of the log groups.
   * @default - `keyArn`
   */
  readonly logsKeyArn?: string | undefined;
  /**
   * The KMS key of the alarms' topic.
   * @default - `keyArn`
   */
  readonly topicKeyArn?: string | undefined;
  /**
   * The KMS key of the dead-letter queue.
   * @default - `keyArn`
   */
  readonly queueKeyArn?: string | undefined;
}

/** The VPC in which the functions run. */
export interface NetworkOptions {
  /**
   * Private subnets, with a way to Studio and the model's provider.
   */
  readonly subnetIds: readonly string[];
  /**
   * The functions' security groups.
   */
  readonly securityGroupIds: readonly string[];
}

/** For every role of the stack. */
export interface IamOptions {
  /**
   * A managed policy that limits what the roles may do. It must allow what they need.
   * @default - none
   */
  readonly permissionsBoundaryArn?: string | undefined;
  /**
   * The path of every role.
   * @default - `/`
   */
  readonly rolePath?: string | undefined;
}

/** The AWS endpoints that the functions use. */
export interface EndpointOptions {
  /**
   * Endpoints with validated cryptography (FIPS 140-3): USA, Canada and GovCloud only.
   * @default false
   */
  readonly fips?: boolean | undefined;
  /**
   * Endpoints that also answer over IPv6.
   * @default false
   */
  readonly dualStack?: boolean | undefined;
}

/** Where Xenonflare Studio is. */
export interface StudioOptions {
  /**
   * Studio's address.
   * @default "https://cloud.xenonflare.com"
   */
  readonly baseUrl?: string | undefined;
  /**
   * Where the rotator signs in (Firebase).
   * @default "https://securetoken.googleapis.com"
   */
  readonly signInUrl?: string | undefined;
}

/** Where the command `check-update` looks for releases. */
export interface UpdateOptions {
  /**
   * Where `check-update` looks for releases.
   */
  readonly feedUrl: string;
}
