// What every widget has around it: its element, the themes, and an end, after which nothing of it goes on.

import { h } from "./dom.js";
import "./theme.css";

const RESTARTED = "The kernel of this widget is gone: run its cell again.";

// The default export of a widget: `draw({ model, root })` fills the element and returns what ends it.
export function framed(name, draw) {
  return { render: ({ model, el }) => frame(name, draw, model, el) };
}

function frame(name, draw, model, el) {
  const root = h("div", { class: `vidlab vidlab-${name}` });
  el.append(root);
  const stop = draw({ model, root }) ?? (() => {});
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    model.off("comm_live_update", lost);
    stop();
  };
  // ipywidgets says so when the kernel was restarted or shut down; the view stays in the page.
  const lost = () => {
    end();
    root.append(h("p", { class: "vl-over", role: "status" }, RESTARTED));
    for (const control of root.querySelectorAll("button, input, select")) control.disabled = true;
  };
  model.on("comm_live_update", lost);
  return () => {
    end();
    root.remove();
  };
}
