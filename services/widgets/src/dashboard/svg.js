// Makes SVG elements, as common/dom.js makes those of HTML.

const SPACE = "http://www.w3.org/2000/svg";

// An element with attributes and children.
export function s(tag, attributes, ...children) {
  const made = document.createElementNS(SPACE, tag);
  attribute(made, attributes ?? {});
  made.append(...children);
  return made;
}

// Set attributes where they are others; null removes one.
export function attribute(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
  return element;
}
