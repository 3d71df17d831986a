const svgNamespace = "http://www.w3.org/2000/svg";

/**
 * @param {"svg" | "path" | "circle" | "line"} name
 * @param {Readonly<Record<string, string | number>>} attributes
 * @param {...Node} children
 * @returns {SVGElement}
 */
export function shape(name, attributes, ...children) {
  const element = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}
