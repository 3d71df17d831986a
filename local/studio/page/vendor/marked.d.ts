/** Served as /page/vendor/marked.js. */
export * from "marked";
