/** Bounds of one job's conversation with the model (studio-api.md, "Deliverables" and "Context object"). */

/** Rounds in which the model calls tools, repairs included. */
export const maxToolRounds = 24;
/** Times that a finished message is sent back for correction. */
export const maxRepairRounds = 4;
/** Characters of earlier history that go into a summary; the tail is kept. */
export const summaryInputChars = 360_000;
/** Characters of a summary; also of the tail that stands in for one. */
export const summaryChars = 39_800;
