/**
 * Saves what the page already has, so that an older answer's file is saved even if a newer one has the same name.
 * @param {{ name: string, content: string | Uint8Array<ArrayBuffer>, type: string }} file
 */
export function download({ name, content, type }) {
  const mime = typeof content === "string" ? `${type};charset=utf-8` : type;
  const url = URL.createObjectURL(new Blob([content], { type: mime }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.split("/").at(-1) ?? name;
  link.click();
  URL.revokeObjectURL(url);
}
