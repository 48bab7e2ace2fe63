// Makes elements. Text is set as text: what somebody uploaded never becomes HTML.

// An element with properties, listeners (`onclick`), attributes (`aria-label`, `class`), `dataset`, and children.
export function h(tag, props, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) put(made, name, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function put(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style" && typeof value === "object") for (const each of Object.entries(value)) element.style.setProperty(...each);
  else if (name in element && typeof value !== "string") element[name] = value;
  else element.setAttribute(name === "className" ? "class" : name, value);
}

// Set an element's text, only when it is another: what is selected or read aloud is left alone.
export function text(element, words) {
  const wanted = String(words ?? "");
  if (element.textContent !== wanted) element.textContent = wanted;
  return element;
}

// Replace an element's children.
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
