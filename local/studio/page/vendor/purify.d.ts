/** What the server hands out as /page/vendor/purify.js. */
export { default } from "dompurify";
