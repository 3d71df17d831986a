import { coffeeSubscription } from "./scenarios/coffee-subscription.ts";
import { photoSharing } from "./scenarios/photo-sharing.ts";
import { slowCheckout } from "./scenarios/slow-checkout.ts";

export interface ExampleWorkspace {
  readonly title: string;
  readonly text: string;
}

/**
 * The first messages of a new local Studio. Together, their canned answers contain every kind of deliverable.
 */
export const exampleWorkspaces: readonly ExampleWorkspace[] = [
  { title: "Launch of a coffee subscription", text: coffeeSubscription.prompt },
  { title: "Slow checkout in the evening", text: slowCheckout.prompt },
  { title: "Photo sharing for sports clubs", text: photoSharing.prompt },
];
