import { suggestions } from "../../studio/page/suggestions.js";
import { blue, drawDiagram, green } from "../diagram.ts";
import { file, list, svg, type Scenario } from "../steps.ts";

const diagram = drawDiagram({
  name: "A request and its caches",
  height: 330,
  boxes: [
    { x: 40, y: 120, name: "Browser", note: "its own cache", ...blue },
    { x: 385, y: 120, name: "CDN", note: "cache for everybody", ...green },
    { x: 730, y: 120, name: "Server", note: "makes the answer", ...blue },
  ],
  arrows: [
    { path: "M 200 138 H 379", label: "1  GET /logo.svg", at: [290, 126] },
    { path: "M 545 138 H 724", label: "2  If-None-Match “v7”", at: [635, 126] },
    { path: "M 730 172 H 551", label: "3  304 Not Modified", at: [640, 194] },
    { path: "M 385 172 H 206", label: "4  200 with Age 0", at: [296, 194] },
    { path: "M 90 190 C 90 270 160 270 160 196", label: "5  next time, from its own cache", at: [160, 282] },
  ],
  caption: "The CDN’s copy was too old, so it asked the server; the copy was still right.",
});

const cheatSheet = `# HTTP caching: cheat sheet

## What the server sends

| Header | Meaning |
| --- | --- |
| \`Cache-Control: max-age=600\` | fresh for ten minutes |
| \`Cache-Control: s-maxage=3600\` | the same for shared caches only, such as a CDN |
| \`Cache-Control: private\` | only the browser may keep it |
| \`Cache-Control: no-cache\` | keep it, but ask before each use |
| \`Cache-Control: no-store\` | do not keep it |
| \`Cache-Control: immutable\` | never ask again while it is fresh |
| \`ETag: "v7"\` | the name of this version |
| \`Last-Modified\` | when it changed, if there is no ETag |
| \`Vary: Accept-Encoding\` | keep one copy for each value of that request header |

## What comes back

| Status | Meaning |
| --- | --- |
| \`200\` with \`Age: 120\` | from a shared cache, 120 seconds old |
| \`304\` | your copy is still right; there is no body |

## Which to choose

- **Files with a hash in their name:** \`max-age=31536000, immutable\`
- **HTML pages:** \`no-cache\` and an \`ETag\`
- **Answers for one person:** \`private, no-cache\`
- **Secrets:** \`no-store\`

## Look for yourself

\`\`\`sh
curl -I https://example.com/
\`\`\`
`;

export const httpCaching: Scenario = {
  prompt: suggestions.caching.text,
  hasFigures: false,
  waves: [
    [
      svg({ id: "request", title: "A request and its caches", content: diagram }),
      list({
        id: "steps",
        title: "What happens to a request",
        ordered: true,
        items: [
          "The browser looks into its own cache. A fresh copy is used at once, without any request.",
          "Otherwise it asks, and a CDN on the way answers if its copy is fresh. The header Age says how old that copy is.",
          "A copy that is too old is not thrown away: the cache sends its ETag in If-None-Match and asks whether it is still right.",
          "The server compares. It answers 304 without a body if nothing has changed, or 200 with the new version.",
          "Each cache keeps the answer for as long as Cache-Control allows, and the next request starts at step 1.",
        ],
      }),
    ],
    [file({ name: "http-caching.md", content: cheatSheet })],
  ],
  message: [
    "## HTTP caching",
    "A cache keeps a copy of an answer, so that the next request does not travel all the way. Two questions decide everything: **is the copy fresh**, and if not, **is it still right**?",
    { show: "request" },
    "The same in steps:",
    { show: "steps" },
    "And a cheat sheet with the headers, to keep next to the editor:",
    { show: "http-caching.md" },
  ],
};
