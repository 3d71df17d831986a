/** A title and special words of the offline model (model/script.ts). Each row is one round of jobs. */
export const rounds: readonly (readonly (readonly [title: string, words: string])[])[] = [
  [
    ["Bicycle repair at home", "[[rounds:2]]"],
    ["Newsletter in March", "[[rounds:1]]"],
    ["Move to a new office", "[[rounds:3]]"],
  ],
  [
    ["Menu for a small bakery", "[[rounds:2]]"],
    ["Survey of readers", "[[rounds:1]] [[slow:1500]]"],
    ["Prices of three couriers", "[[rounds:3]]"],
    ["Plan of a garden", "[[bad-json]]"],
  ],
  [
    ["Letter to a competitor", "[[refuse]]"],
    ["Agenda of the spring meeting", "[[rounds:1]]"],
    ["Stock for the summer", "[[slow:2500]]"],
  ],
  [
    ["Training for new drivers", "[[rounds:2]]"],
    ["Answers to complaints", "[[rounds:2]] [[slow:1200]]"],
    ["Report on returns", "[[dangling]]"],
    ["Ideas for a podcast", "[[rounds:4]]"],
  ],
  [
    ["Names for a tea", "[[rounds:1]]"],
    ["Words on a label", "[[content-filter]]"],
    ["Opening hours in winter", "[[rounds:3]]"],
  ],
];
