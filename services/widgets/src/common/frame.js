// What every widget has around it: its element, the themes, and an end, after which nothing of it goes on.

import { h } from "./dom.js";
import "./theme.css";

const RESTARTED = "The kernel of this widget is gone: run its cell again.";

// The default export of a widget: `draw({ model, root })` fills the element and returns what ends it. That is called
// with true where what was drawn last is to stay.
export function framed(name, draw) {
  return { render: ({ model, el }) => frame(name, draw, model, el) };
}

function frame(name, draw, model, el) {
  const root = h("div", { class: `vidlab vidlab-${name}` });
  el.append(root);
  const stop = draw({ model, root }) ?? (() => {});
  let ended = false;
  const end = (keep) => {
    if (ended) return;
    ended = true;
    model.off("comm_live_update", lost);
    stop(keep);
  };
  // ipywidgets says so when the kernel was restarted; the view stays in the page. Of one that was shut down, or died, it
  // says nothing: then what goes straight to the lab goes on.
  const lost = () => {
    end(true);
    root.append(h("p", { class: "vl-over", role: "status" }, RESTARTED));
    for (const control of root.querySelectorAll("button, input, select")) control.disabled = true;
  };
  model.on("comm_live_update", lost);
  return () => {
    end(false);
    root.remove();
  };
}
