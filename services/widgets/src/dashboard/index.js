// The dashboard: the flow as a live picture, the newest videos, the processes with their buttons, and what happens.

import { h, text } from "../common/dom.js";
import { framed } from "../common/frame.js";
import { watch } from "../common/live.js";
import { fold, NOTHING } from "../common/state.js";
import { Bars } from "./bars.js";
import { Crew } from "./crew.js";
import { Flow } from "./flow.js";
import { Processes } from "./processes.js";
import { Saying } from "./saying.js";
import { atRest, sentence } from "./sentence.js";
import { Ticker } from "./ticker.js";
import "./dashboard.css";

const OFTEN = 100; // milliseconds between two drawings
const CLOCK = 1000; // milliseconds

export default framed("dashboard", ({ model, root }) => {
  const dashboard = new Dashboard(model, root);
  const open = () => dashboard.open();
  model.on("change:addresses", open);
  open();
  return () => {
    model.off("change:addresses", open);
    dashboard.stop();
  };
});

class Dashboard {
  constructor(model, root) {
    Object.assign(this, { model, root, live: "" });
    this.chip = h("span", { class: "vl-chip vl-live", role: "status" }, "connecting");
    this.why = h("span", { class: "vl-why" });
    this.sentence = h("p", { class: "vl-sentence", role: "status" }, "Asking the lab how it stands.");
    this.answer = h("p", { class: "vl-answer", role: "status" }, "Kill, pause, − and + go straight to the lab's supervisor.");
    this.flow = new Flow();
    this.bars = new Bars();
    this.processes = new Processes(() => model.get("addresses"), (words, bad) => this.say(words, bad));
    this.crew = new Crew(() => model.get("addresses"), (processes) => this.hear(processes));
    this.ticker = new Ticker();
    this.saying = new Saying((words) => text(this.sentence, words));
    root.append(
      h("header", { class: "vl-head" }, h("strong", {}, "VidLab"), this.chip, this.why),
      this.flow.element, this.sentence,
      h("div", { class: "vl-grid" }, this.bars.elements, this.ticker.element, h("div", { class: "vl-orders" }, this.answer), this.processes.elements),
    );
  }

  // Another lab may be there than before: nothing is known of it.
  open() {
    Object.assign(this, { state: NOTHING, told: false });
    this.clock ??= setInterval(() => this.told && this.draw(), CLOCK); // uptimes go on, though nothing happens
    this.stopWatching?.();
    this.stopWatching = watch(this.model.get("addresses"), {
      onMessage: (message) => this.take(message),
      onState: (live, why) => this.become(live, why),
    });
  }

  take(message) {
    const before = this.state;
    this.state = fold(before, message);
    const news = this.told && sentence(before, this.state);
    if (news) this.saying.say(news);
    else if (!this.told) this.saying.put(atRest(this.state), 0);
    this.told = true;
    this.drawing ??= setTimeout(() => this.draw(), OFTEN);
  }

  hear(processes) {
    this.root.dataset.crew = processes ? "told" : "";
    if (!processes) return;
    this.state = fold(this.state, { type: "processes", processes });
    this.draw();
  }

  draw() {
    clearTimeout(this.drawing);
    this.drawing = null;
    for (const part of [this.flow, this.bars, this.processes, this.ticker]) part.show(this.state);
    this.tell();
  }

  become(live, why) {
    Object.assign(this, { live, reason: why });
    if (live === "lost") this.told = false; // what happened meanwhile is not news
    if (live === "lost") this.crew.ask();
    else this.crew.stop();
    this.tell();
  }

  // How the dashboard itself is, then what is away and what is broken on purpose.
  tell() {
    text(this.chip, { live: "live", polling: "polling", lost: "no connection" }[this.live] ?? "connecting");
    this.chip.dataset.live = this.live;
    this.root.dataset.live = this.live;
    const away = Object.entries(this.state.away).map(([name, why]) => `${name} is away: ${why}`);
    const faults = (this.state.faults ?? []).map(({ name, target }) => `fault ${name}${target ? ` (${target})` : ""}`);
    const words = (this.live === "live" ? [...away, ...faults] : [this.paused() ?? this.reason]).filter(Boolean).join("; ");
    text(this.why, words);
    this.why.title = words;
  }

  // Why there is no connection, where its supervisor knows.
  paused() {
    const api = this.state.processes?.find(({ kind }) => kind === "api");
    return this.live === "lost" && api?.state === "paused" ? "The API is paused, and answers nobody: resume it below." : null;
  }

  say(words, bad) {
    text(this.answer, words);
    this.answer.classList.toggle("vl-bad", bad);
  }

  stop() {
    clearTimeout(this.drawing);
    clearInterval(this.clock);
    this.stopWatching?.();
    this.crew.stop();
    this.saying.stop();
    this.flow.stop();
  }
}
