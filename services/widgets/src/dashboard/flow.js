// The picture of the flow: boxes with what is in each now as a number, and videos as dots that move along.

import { h, text } from "../common/dom.js";
import { rowsOf } from "./dots.js";
import { Dots } from "./moving.js";
import { colourOf, goesOn, lanesOf, working } from "./lanes.js";
import { home, layout } from "./layout.js";
import { attribute, s } from "./svg.js";

const NARROWEST = 700; // pixels; narrower pages scroll it

// Caption and what the number means. Those of lanes stand above the first of them.
const PLACES = {
  api: ["API", "videos that are being uploaded"],
  topic0: ["topic video_preprocessing", "messages that its group has not read yet"],
  group0: ["consumer", "messages that the consumer is behind"],
  queue0: ["queue", "tasks that wait for a worker"],
  worker0: ["worker", "tasks in work, of how many workers"],
  topic: ["topic video_processing", "messages that some group has not read yet"],
  group: ["groups", "messages that the group is behind"],
  queue: ["queues", "tasks that wait for a worker"],
  worker: ["workers", "tasks in work, of how many workers"],
  master: ["master", "videos whose master playlist waits for profiles"],
};
const SERVERS = { topic0: "kafka", topic: "kafka", queue0: "redis", queue: "redis" };

export class Flow {
  constructor() {
    this.edges = s("g", { class: "vl-edges" });
    this.boxes = s("g", {});
    this.homes = s("g", {});
    this.dots = new Dots();
    this.svg = s("svg", { class: "vl-flow-picture", role: "img", "aria-label": "The flow of videos through the lab" });
    this.svg.append(this.edges, this.boxes, this.homes, this.dots.layer);
    this.element = h("div", { class: "vl-flow" }, this.svg);
    this.drawn = {};
    this.observer = new ResizeObserver(() => this.state && this.show(this.state));
    this.observer.observe(this.element);
  }

  stop() {
    this.observer.disconnect();
  }

  show(state) {
    this.state = state;
    const flow = lanesOf(state);
    const names = flow.lanes.map(({ name }) => name);
    const width = Math.max(NARROWEST, Math.floor(this.element.clientWidth));
    const shape = `${width} ${names.join(" ")}`;
    if (shape !== this.shape) this.build(shape, layout(width, names), flow);
    for (const [key, fact] of Object.entries(factsOf(state, flow))) this.put(key, fact);
    const rows = rowsOf(state, this.plan.rows);
    this.putHomes(rows, flow);
    this.dots.show(state, rows, flow, this.plan);
  }

  build(shape, plan, flow) {
    Object.assign(this, { shape, plan, drawn: {} });
    attribute(this.svg, { viewBox: `0 0 ${plan.width} ${plan.height}`, width: plan.width, height: plan.height });
    this.edges.replaceChildren(...edgesOf(plan, flow));
    this.boxes.replaceChildren();
    for (const [key, box] of Object.entries(plan.boxes)) this.boxes.append(this.box(key, box, flow));
    for (const [stop, [caption]] of Object.entries(PLACES)) {
      const box = plan.boxes[stop] ?? plan.boxes[`${stop}/${flow.lanes[0]?.name}`];
      if (box) this.boxes.append(s("text", { x: box.x + 1, y: box.y - 6, class: "vl-caption" }, caption));
    }
  }

  box(key, { x, y, w, h: tall }, flow) {
    const [stop, name] = key.split(/\/(.*)/s);
    const lane = flow.lanes.find((one) => one.name === name);
    const number = s("text", { x: x + w - 9, y: stop === "master" ? y - 6 : y + tall / 2 + 4, class: "vl-number" });
    const fill = s("rect", { x, y, width: 0, height: tall, rx: 5, class: "vl-fill" });
    const frame = s("rect", { x, y, width: w, height: tall, rx: 5, class: "vl-box" });
    const about = s("title", {});
    const made = s("g", { class: `vl-place vl-at-${stop}`, "data-place": key, style: `--colour: ${colourOf(lane?.colour ?? null)}` }, about, frame, fill);
    if (stop === "group") made.append(s("rect", { x, y, width: 4, height: tall, rx: 2, class: "vl-tab" }), s("text", { x: x + 12, y: y + tall / 2 + 4 }, name));
    made.append(number);
    this.drawn[key] = { made, number, fill, about, width: w };
    return made;
  }

  put(key, { number, state = "", words, progress = 0 }) {
    const drawn = this.drawn[key];
    if (!drawn) return;
    text(drawn.number, number ?? "–");
    text(drawn.about, words);
    attribute(drawn.made, { "data-state": state || null, "data-busy": Number.parseInt(number, 10) > 0 ? "" : null });
    attribute(drawn.fill, { width: (drawn.width * Math.min(1, progress)).toFixed(1) });
  }

  // The profiles that a video needs, hollow until they are done, with its share at the end of the row.
  putHomes(rows, flow) {
    const places = rows.flatMap((video, row) => {
      const jobs = video.profiles.filter(({ state }) => state !== "skipped");
      const done = jobs.filter(({ state }) => state === "done").length;
      const right = this.plan.boxes.master.x + this.plan.boxes.master.w - 34;
      const words = video.status === "completed" ? "✓" : video.status === "failed" ? "failed" : `${done}/${jobs.length}`;
      const { y } = home(this.plan, row, 0, 1);
      const count = s("text", { x: right, y: y + 4, class: "vl-share", "data-status": video.status }, words);
      return [...jobs.map((job) => hollow(job, home(this.plan, row, flow.lanes.findIndex(({ name }) => name === job.name), flow.lanes.length), flow)), count];
    });
    this.homes.replaceChildren(...places);
  }
}

function hollow(job, { x, y }, flow) {
  const colour = colourOf(flow.lanes.findIndex(({ name }) => name === job.name));
  return s("circle", { cx: x, cy: y, r: 4.5, class: "vl-home", style: `--colour: ${colour}` }, s("title", {}, `${job.name}: ${job.state}`));
}

// The number of each place, its state, and what it means in words.
function factsOf(state, { first, lanes }) {
  const uploading = state.videos.filter(({ status }) => status === "uploading").length;
  const open = state.videos.filter(({ status }) => status === "processing").length;
  const unread = lanes.every(({ behind }) => behind === null) ? null : Math.max(0, ...lanes.map(({ behind }) => behind ?? 0));
  const facts = {
    api: { number: uploading, state: stateOf(state.processes?.filter(({ kind }) => kind === "api")) },
    topic0: { number: first.behind },
    ...laneFacts(state, first, (stop) => `${stop}0`),
    topic: { number: unread },
    master: { number: open },
  };
  for (const lane of lanes) Object.assign(facts, laneFacts(state, lane, (stop) => `${stop}/${lane.name}`));
  for (const [key, fact] of Object.entries(facts)) {
    const stop = key.split("/")[0];
    const away = SERVERS[stop] && serverState(state, SERVERS[stop]);
    if (away) fact.state = away;
    fact.words = [PLACES[stop][1], fact.state].filter(Boolean).join("; ");
  }
  return facts;
}

function laneFacts(state, lane, key) {
  const jobs = state.videos.filter(goesOn).flatMap(({ profiles, steps }) => [...profiles, ...steps]);
  const running = jobs.filter((job) => job.name === lane.name && job.state === "running");
  const progress = running.length ? running.reduce((sum, job) => sum + job.progress, 0) / running.length : 0;
  const workers = lane.workers ? working(lane.workers).length : null;
  return {
    [key("group")]: { number: lane.behind, state: stateOf(lane.consumers) },
    [key("queue")]: { number: lane.waiting },
    [key("worker")]: { number: lane.running === null ? null : `${lane.running}/${workers ?? "?"}`, state: stateOf(lane.workers), progress },
  };
}

// How a group of processes is: "" when at least one works and none is stopped by somebody.
function stateOf(processes) {
  if (!processes) return "";
  if (processes.some(({ state }) => state === "paused")) return "paused";
  return working(processes).length ? "" : "down";
}

// A server that runs outside of the lab is judged only by who misses it.
function serverState(state, name) {
  if (name in state.away) return "down";
  const server = state.processes?.find(({ kind }) => kind === name);
  return !server || server.outside ? "" : stateOf([server]);
}

function edgesOf(plan, { lanes }) {
  const line = (from, to) => {
    const [one, other] = [plan.boxes[from], plan.boxes[to]];
    const y = Math.max(one.y, other.y) + Math.min(one.h, other.h) / 2;
    return arrow(`M${one.x + one.w + 3} ${y} H${other.x - 4}`, other.x - 3, y, "right");
  };
  const front = ["api", "topic0", "group0", "queue0", "worker0"];
  const found = front.slice(1).map((stop, index) => line(front[index], stop));
  for (const { name } of lanes) {
    found.push(line("topic", `group/${name}`), line(`group/${name}`, `queue/${name}`));
    found.push(line(`queue/${name}`, `worker/${name}`), line(`worker/${name}`, "master"));
  }
  const [from, to] = [plan.boxes.worker0, plan.boxes.topic];
  const [right, left] = [from.x + from.w / 2, to.x + to.w - 9];
  return [...found, arrow(`M${right} ${from.y + from.h + 3} V${plan.turn - 6} q0 6 -6 6 H${left + 6} q-6 0 -6 6 V${to.y - 4}`, left, to.y - 3, "down")];
}

function arrow(path, x, y, way) {
  const head = way === "right" ? `M${x - 5} ${y - 4} L${x} ${y} L${x - 5} ${y + 4}` : `M${x - 4} ${y - 5} L${x} ${y} L${x + 4} ${y - 5}`;
  return s("path", { d: `${path} ${head}`, class: "vl-edge" });
}
