// What happened, the newest on top.

import { h } from "../common/dom.js";
import { colourOf, lanesOf, stageOf } from "./lanes.js";

const SHOWN = 60; // events

export class Ticker {
  constructor() {
    this.list = h("ol", { class: "vl-events", tabIndex: 0, "aria-label": "What happened, the newest first" });
    this.element = h("section", { class: "vl-card vl-ticker" }, h("header", {}, h("strong", {}, "Events")), this.list);
    this.lines = new Map();
  }

  show(state) {
    const names = lanesOf(state).lanes.map(({ name }) => name);
    const titles = new Map(state.videos.map(({ video_hash, title, filename }) => [video_hash, title || filename]));
    const shown = state.events.slice(0, SHOWN);
    const ids = shown.map(({ id }) => id).join(" ");
    if (ids === this.ids) return;
    this.ids = ids;
    this.lines = new Map(shown.map((event) => [event.id, this.lines.get(event.id) ?? line(event, names, titles)]));
    this.list.replaceChildren(...this.lines.values());
  }
}

function line(event, names, titles) {
  const hue = event.stage ? colourOf(names.indexOf(stageOf(event.stage))) : "var(--vl-dim)";
  const about = event.video_hash ? (titles.get(event.video_hash) ?? event.video_hash.slice(0, 8)) : "";
  return h(
    "li",
    { "data-kind": event.kind, title: [event.process, about].filter(Boolean).join(", ") },
    h("time", { class: "vl-num" }, new Date(event.at).toLocaleTimeString("en-GB")),
    h("i", { class: "vl-mark", style: { background: hue } }),
    h("span", { class: "vl-what" }, event.text),
    h("span", { class: "vl-about" }, about),
  );
}
