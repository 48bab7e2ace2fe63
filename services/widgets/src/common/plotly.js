// Plotly, fetched once for all widgets of a page from the lab's API.

let loading = null;

// Resolves to Plotly's basic build. After a failure the next call tries again.
export function plotly(addresses) {
  loading ??= import(`${addresses.api}/bundles/plotly-basic.js`)
    .then((module) => module.default)
    .catch((error) => {
      loading = null;
      throw error;
    });
  return loading;
}

// The theme's colour of that name ("--vl-fg"), as it stands at that element now: what Plotly can draw with.
export function colour(element, name) {
  const probe = document.createElement("i");
  probe.style.cssText = `display: none; color: var(${name})`;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
