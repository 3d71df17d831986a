/** Served as /page/vendor/purify.js. */
export { default } from "dompurify";
