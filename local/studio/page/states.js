/**
 * The texts and the colour of each job state.
 * @import { JobState } from "../page-api.ts"
 * @type {Readonly<Record<JobState, { label: string, tone: string, sentence: string }>>}
 */
export const jobStates = {
  idle: { label: "No job yet", tone: "quiet", sentence: "has no job" },
  queued: { label: "Queued", tone: "quiet", sentence: "is queued" },
  leased: { label: "Working", tone: "active", sentence: "is being worked on" },
  completed: { label: "Completed", tone: "good", sentence: "is completed" },
  failed: { label: "Failed", tone: "bad", sentence: "has failed" },
};
