/**
 * Saves a text that the page already has, so that an older answer's file is saved even if a newer one has the same name.
 * @param {{ name: string, content: string, type: string }} file
 */
export function download({ name, content, type }) {
  const url = URL.createObjectURL(new Blob([content], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.split("/").at(-1) ?? name;
  link.click();
  URL.revokeObjectURL(url);
}
