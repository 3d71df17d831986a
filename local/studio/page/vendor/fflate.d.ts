/** Served as /page/vendor/fflate.js. */
export * from "fflate";
