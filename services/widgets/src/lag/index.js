// How far each consumer group is behind, as it goes: in messages, and in the seconds that the oldest one waits.

import { fill, h, text } from "../common/dom.js";
import { seconds } from "../common/format.js";
import { framed } from "../common/frame.js";
import { watch } from "../common/live.js";
import { plotly } from "../common/plotly.js";
import { fold, NOTHING } from "../common/state.js";
import { COLOURS, figure, OPTIONS } from "./chart.js";
import { History } from "./history.js";
import "./lag.css";

const TICK = 1000; // milliseconds between two points, and two drawings
const MOST_MARKS = 6; // that are told in words too

export default framed("lag", ({ model, root }) => {
  const lag = new Lag(model, root);
  const open = () => lag.open();
  const redraw = () => lag.draw();
  model.on("change:addresses", open);
  model.on("change:minutes", redraw);
  open();
  return (keep) => {
    model.off("change:addresses", open);
    model.off("change:minutes", redraw);
    lag.stop(keep);
  };
});

class Lag {
  constructor(model, root) {
    Object.assign(this, { model, root, history: new History(), state: NOTHING, offset: 0, connection: "" });
    this.numbers = h("div", { class: "vl-groups", role: "list", "aria-label": "Lag of each consumer group now" });
    this.chart = h("div", { class: "vl-chart", role: "img", "aria-label": "Lag of each consumer group over the last minutes" });
    this.marks = h("ol", { class: "vl-marks vl-dim", "aria-label": "What was done to the lab" });
    this.status = h("p", { class: "vl-status vl-dim", role: "status" }, "connecting to the lab");
    this.problem = h("p", { class: "vl-problem", role: "alert" });
    root.append(
      h("div", { class: "vl-row vl-caption" }, h("strong", {}, "Lag of the consumer groups"), this.status),
      this.numbers, this.chart, this.marks, this.problem,
    );
    this.ticking = setInterval(() => this.tick(), TICK);
    this.load();
  }

  open() {
    this.stopWatching?.();
    this.stopWatching = watch(this.model.get("addresses"), {
      onMessage: (message) => this.take(message),
      onState: (state, why) => this.tell(state, why),
    });
  }

  get window() {
    return 60_000 * this.model.get("minutes");
  }

  // The lab's clock, which its events are told by.
  get now() {
    return Date.now() + this.offset;
  }

  // -- what is told

  take(message) {
    this.state = fold(this.state, message);
    if (message.type === "snapshot") this.offset = Date.parse(message.at) - Date.now();
    if (message.type === "snapshot") for (const event of message.events) this.history.mark(event);
    if (message.type === "event") this.history.mark(message.event);
    if (message.type === "lag" || message.type === "snapshot") this.note();
  }

  tell(state, why) {
    this.connection = state;
    text(this.problem, state === "live" ? "" : why);
  }

  // Lag is told when it changes: in between it is what it was, unless nobody can say.
  note() {
    const known = this.state.lag && this.connection !== "lost" && !this.state.away.kafka;
    if (known) this.history.note(this.now, this.state.lag);
    else this.history.gap(this.now);
  }

  tick() {
    this.note();
    this.history.forget(this.now, this.window);
    this.show();
    this.draw();
  }

  // -- drawing

  async load() {
    try {
      this.plotly = await plotly(this.model.get("addresses"));
      if (!this.stopped) this.draw();
    } catch (error) {
      if (this.stopped) return;
      text(this.problem, `The chart cannot be drawn: ${error.message}`);
      this.loading = setTimeout(() => this.load(), 2 * TICK);
    }
  }

  draw() {
    if (!this.plotly || this.stopped || !this.root.isConnected) return;
    const { data, layout } = figure(this.root, this.history, this.now, this.window);
    this.plotly.react(this.chart, data, layout, OPTIONS);
  }

  show() {
    const { lag, away } = this.state;
    text(this.status, away.kafka ? `Kafka does not answer: ${away.kafka}` : { live: "live", polling: "asked every 2 s", lost: "" }[this.connection] ?? "");
    if (lag) fill(this.numbers, lag.map(group));
    const newest = this.history.marks(this.now - this.window).slice(-MOST_MARKS).reverse();
    fill(this.marks, newest.map(({ at, words }) => h("li", {}, h("span", { class: "vl-num" }, new Date(at).toLocaleTimeString("en-GB")), ` ${words}`)));
  }

  stop(keep) {
    this.stopped = true;
    this.stopWatching?.();
    clearInterval(this.ticking);
    clearTimeout(this.loading);
    if (!keep) this.plotly?.purge(this.chart);
  }
}

function group({ group, messages, seconds: waits }, number) {
  const age = messages === 0 ? "" : waits === null ? "age not known" : seconds(waits);
  return h("div", { class: "vl-group", role: "listitem", dataset: { group } },
    h("i", { style: { background: `var(${COLOURS[number % COLOURS.length]})` } }),
    h("span", { class: "vl-name" }, short(group)),
    h("b", { class: "vl-num" }, String(messages)),
    h("span", { class: "vl-num vl-dim vl-age" }, age),
  );
}

// A group is named by its topic and its stage: the stage tells them apart.
function short(group) {
  return group.replace(/^video_processing_/, "").replace(/^video_/, "");
}
