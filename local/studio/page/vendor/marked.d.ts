/** What the server hands out as /page/vendor/marked.js. */
export * from "marked";
