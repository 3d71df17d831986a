export interface ExampleWorkspace {
  readonly title: string;
  readonly text: string;
}

/**
 * The first messages of a new local Studio. Together, their canned answers contain every kind of deliverable.
 */
export const exampleWorkspaces: readonly ExampleWorkspace[] = [
  {
    title: "Launch of a coffee subscription",
    text:
      "We want to launch a cold-brew coffee subscription in Hamburg and Berlin this spring. The marketing budget is " +
      "120,000 EUR for twelve weeks. Who are the customers, how should we split the money, what revenue can we expect " +
      "in the first six months, and what could go wrong?",
  },
  {
    title: "Slow checkout in the evening",
    text:
      "Since the release on Monday our checkout is slow in the evening, and support tickets have doubled. Look at " +
      "latency and traffic over the day, tell us whether the release or the load is to blame, and give the team a " +
      "checklist for this week and a runbook for the next incident.",
  },
  {
    title: "Photo sharing for sports clubs",
    text:
      "Design the architecture of a photo sharing app for sports clubs: members upload pictures after a match, faces of " +
      "children are blurred, albums are shared by link. Draw the system, list its components and their duties, " +
      "and record the most important decision. About 200 clubs, 4,000 pictures on a busy Sunday.",
  },
];
