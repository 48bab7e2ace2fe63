// The lab's processes by kind, with the orders that one may give to each, straight to the supervisor.

import { order } from "../common/control.js";
import { h, text } from "../common/dom.js";
import { seconds } from "../common/format.js";
import { stageOf } from "./lanes.js";

const SOON = 2000; // milliseconds after which the lab has told of a new count

// Section -> its title, and which kinds belong to it; the first that fits counts.
const SECTIONS = [
  ["consumers", "Consumers", (kind) => kind.startsWith("consumer-")],
  ["workers", "Workers", (kind) => kind.startsWith("worker-")],
  ["others", "Servers", () => true],
];

export class Processes {
  // `addresses()` gives where the supervisor is; `say` is called with what became of an order, and whether it is bad.
  constructor(addresses, say) {
    Object.assign(this, { addresses, say, rows: new Map(), pressed: new Map(), asked: new Map(), kinds: [] });
    this.lists = Object.fromEntries(SECTIONS.map(([name]) => [name, h("div", { class: "vl-processes" })]));
    this.elements = SECTIONS.map(([name, title]) => h("section", { class: `vl-card vl-${name}` }, h("header", {}, h("strong", {}, title), head()), this.lists[name]));
  }

  show(state) {
    if (!state.processes) return; // nobody told: what was known stands
    const wanted = this.wanted(state);
    const shown = new Map();
    for (const [kind, members] of wanted) {
      const scalable = /^(consumer|worker)-/.test(kind);
      if (!members.length) shown.set(kind, this.row(kind, kind, scalable, true).none(this.countOf(kind, members)));
      members.forEach((process, index) => shown.set(process.name, this.row(process.name, kind, scalable, index === 0).show(process, this.countOf(kind, members), members.length === 1)));
    }
    this.rows = shown;
    for (const [name] of SECTIONS) this.arrange(name, [...shown.values()].filter((row) => sectionOf(row.kind) === name));
    this.tellPressed(state);
  }

  // Kind -> its processes; a kind of which none are wanted keeps its place, or one could not have it back.
  wanted({ processes, queues }) {
    const stages = (queues ?? []).map(({ queue }) => stageOf(queue));
    const found = new Map(this.kinds.map((kind) => [kind, []]));
    for (const process of processes) found.set(process.kind, [...(found.get(process.kind) ?? []), process]);
    for (const kind of stages.flatMap((name) => [`consumer-${name}`, `worker-${name}`])) if (!found.has(kind)) found.set(kind, []);
    this.kinds = [...found.keys()];
    return found;
  }

  row(name, kind, scalable, first) {
    const known = this.rows.get(name);
    return known?.scales === (scalable && first) ? known : new Row(name, kind, scalable && first, this);
  }

  arrange(name, rows) {
    const list = this.lists[name];
    const elements = rows.map(({ element }) => element);
    if (elements.length === list.children.length && elements.every((one, index) => list.children[index] === one)) return;
    list.replaceChildren(...elements);
  }

  // -- orders

  async give(path, body, words) {
    this.say(`${words} ...`, false);
    try {
      const answer = await order(this.addresses(), path, body);
      this.say(`${words}: done.`, false);
      return answer;
    } catch (error) {
      this.say(error.message, true);
      return null;
    }
  }

  async act(verb, process) {
    const told = await this.give(`/processes/${encodeURIComponent(process.name)}/${verb}`, {}, `${verb} ${process.name}`);
    if (told && verb === "kill") this.pressed.set(process.name, { pid: process.pid, at: performance.now() });
  }

  // One more or less than the row says, which may be pressed again before the lab has told of it.
  async scale(row, by) {
    const { kind, count: before } = row;
    const count = (row.count = before + by);
    this.asked.set(kind, { count, until: performance.now() + SOON });
    const told = await this.give(`/kinds/${encodeURIComponent(kind)}/scale`, { count }, `scale ${kind} to ${count}`);
    if (told) return;
    this.asked.delete(kind);
    row.count = before;
  }

  // How many of a kind are wanted: what was asked for a moment ago, then what is there and stays.
  countOf(kind, members) {
    const asked = this.asked.get(kind);
    return asked && performance.now() < asked.until ? asked.count : members.filter(({ stopping }) => !stopping).length;
  }

  // Who was killed is back: that is what one waits to see.
  tellPressed({ processes }) {
    for (const { name, pid, state } of processes ?? []) {
      const before = this.pressed.get(name);
      if (!before || !pid || pid === before.pid || state !== "running") continue;
      this.pressed.delete(name);
      this.say(`${name} is back: pid ${before.pid} is now ${pid}, ${seconds((performance.now() - before.at) / 1000)} after the kill.`, false);
    }
  }
}

function shortly(name) {
  return name.replace(/^(consumer|worker)-/, "");
}

function sectionOf(kind) {
  return SECTIONS.find(([, , fits]) => fits(kind))[0];
}

function head() {
  return h("span", { class: "vl-columns vl-dim", "aria-hidden": "true" }, h("span", {}, "pid"), h("span", {}, "up"), h("span", { title: "restarts" }, "↻"));
}

class Row {
  constructor(name, kind, scales, owner) {
    Object.assign(this, { name, kind, scales, process: { name, pid: null } });
    this.state = h("i", { class: "vl-state" });
    this.cells = ["vl-pid", "vl-up", "vl-restarts"].map((cell) => h("span", { class: `vl-num ${cell}` }));
    this.label = h("span", { class: "vl-name" }, "");
    this.kill = button("kill", `Kill ${name}`, () => owner.act("kill", this.process));
    this.pause = button("pause", `Pause ${name}`, () => owner.act(this.process.state === "paused" ? "resume" : "pause", this.process));
    this.less = scales && button("−", `One ${kind} less`, () => owner.scale(this, -1));
    this.more = scales && button("+", `One more ${kind}`, () => owner.scale(this, 1));
    const scale = h("span", { class: "vl-scale" }, this.less, this.more);
    this.element = h("div", { class: "vl-process", "data-process": name }, this.state, this.label, ...this.cells, this.kill, this.pause, scale);
  }

  // `count`: of its kind that are wanted. Where it is alone its number says nothing.
  show(process, count, alone) {
    Object.assign(this, { process, count });
    text(this.label, shortly(alone ? this.kind : this.name));
    this.put(process.stopping ? "stopping" : process.state, [process.pid ?? "–", uptime(process), process.restarts], process.note);
    const there = Boolean(process.pid) && !process.outside;
    this.kill.disabled = !there;
    this.pause.disabled = !there;
    text(this.pause, process.state === "paused" ? "resume" : "pause");
    this.pause.setAttribute("aria-label", `${process.state === "paused" ? "Resume" : "Pause"} ${this.name}`);
    return this;
  }

  none(count) {
    this.count = count;
    text(this.label, shortly(this.kind));
    this.put("stopped", ["–", "", ""], "none are wanted");
    this.kill.disabled = this.pause.disabled = true;
    return this;
  }

  put(state, cells, note) {
    this.element.dataset.state = state;
    this.element.title = [this.name, state, note].filter(Boolean).join(": ");
    this.state.setAttribute("aria-label", state);
    cells.forEach((words, index) => text(this.cells[index], words));
    if (this.less) this.less.disabled = this.count === 0;
  }
}

function uptime({ pid, since, state }) {
  if (!pid) return state;
  return since === null ? "" : seconds(Math.floor(Math.max(0, Date.now() / 1000 - since))).replace(/(\d+ min) .*/, "$1").replace(".0", "");
}

function button(words, label, onclick) {
  return h("button", { type: "button", class: "vl-small", "aria-label": label, title: label, onclick }, words);
}
