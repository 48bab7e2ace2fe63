// The bars of the chart as elements: each is placed in per cent of the axis, and tells what it is.

import { h } from "../common/dom.js";
import { seconds } from "../common/format.js";
import { ticks } from "./plan.js";

const ROOM = 7; // per cent of the axis that a bar's label needs

const ENDS = { ok: "", open: "goes on", error: "failed", lost: "lost: its worker is gone", handed_back: "handed back" };

// Everything of a plan, to be put into one grid. `tell` is called with a bar's words when it is looked at.
export function drawn(plan, tell) {
  return [...plan.rows.flatMap((row, number) => [name(row), lane(row, number, plan, tell), sums(row)]), h("span"), axis(plan), h("span")];
}

function name({ stage, workers, attempts, state, note }) {
  const about = note || workers.at(-1) || (["waiting", "queued"].includes(state) ? state : "");
  const more = attempts > 1 ? h("span", { class: "vl-attempts" }, `${attempts} attempts`) : null;
  return h("div", { class: "vl-stage" }, h("b", {}, stage), more, h("span", { class: "vl-dim vl-worker", title: workers.join(", ") }, about));
}

function sums({ waited, worked, bars }) {
  if (!bars.length) return h("div", { class: "vl-sums" });
  return h("div", { class: "vl-sums vl-num" }, h("b", { title: "worked" }, seconds(worked)), waited ? h("span", { class: "vl-dim" }, `waited ${seconds(waited)}`) : null);
}

function lane(row, number, plan, tell) {
  const moments = [mark(plan.finalized, "vl-finalized", plan), mark(plan.ended, "vl-ended", plan)];
  return h("div", { class: "vl-lane", dataset: { stage: row.stage }, style: { "--vl-row": colour(row.stage, number) } }, moments, row.bars.map((bar) => element(bar, plan, tell)));
}

// The profiles have theirs, by their place in the table; what is before and after them has none of those.
function colour(stage, number) {
  return ["upload", "preprocessing", "master"].includes(stage) ? "var(--vl-dim)" : `var(--vl-p${(number - 2) % 6})`;
}

function element(bar, plan, tell) {
  const words = described(bar, plan.zero);
  const [left, right] = [share(Math.max(bar.from, plan.from), plan), share(bar.to, plan)];
  const told = () => tell(words);
  return h("div", {
    class: `vl-span vl-${bar.what} vl-is-${bar.status}${bar.from < plan.from ? " vl-cut" : ""}`,
    style: { left: `${left}%`, width: `${Math.max(0, right - left)}%` },
    dataset: { id: bar.span_id, name: bar.name, seconds: bar.seconds.toFixed(3), from: bar.from, to: bar.to, status: bar.status, attempt: bar.attempt ?? "" },
    title: words, "aria-label": words, role: "img", tabindex: bar.what === "inner" ? null : "0", onmouseenter: told, onfocus: told,
  }, right - left > ROOM ? h("span", {}, label(bar)) : null);
}

function label({ what, name, attempt, status }) {
  if (what === "queue") return "waits";
  if (what === "inner") return name;
  const number = attempt > 1 || status === "lost" || status === "error" ? `attempt ${attempt}` : "";
  return [number, { lost: "lost", error: "failed", handed_back: "handed back" }[status]].filter(Boolean).join(" · ");
}

// What a bar says when it is pointed at, or read aloud.
export function described({ stage, name, what, process, attempt, seconds: took, from, status, open }, zero) {
  const head = { queue: `${stage} waits for a worker`, work: attempt ? `${stage}, attempt ${attempt}` : stage, inner: `${stage}: ${name}` }[what];
  const where = what === "queue" ? "" : `in ${process}`;
  const began = `${signed((from - zero) / 1000)} s`;
  return [head, `${took.toFixed(3)} s${open ? " so far" : ""} from ${began}`, where, open ? "" : ENDS[status]].filter(Boolean).join(" · ");
}

function axis(plan) {
  const marks = ticks(plan.from, plan.to, plan.zero);
  return h("div", { class: "vl-axis vl-dim vl-num" }, marks.map((value) => h("span", { style: { left: `${share(plan.zero + 1000 * value, plan)}%` } }, `${value} s`)));
}

function mark(at, kind, plan) {
  return at >= plan.from && at <= plan.to ? h("i", { class: `vl-moment ${kind}`, style: { left: `${share(at, plan)}%` } }) : null;
}

function share(at, { from, to }) {
  return (100 * (at - from)) / (to - from);
}

function signed(value) {
  return value < 0 ? `−${(-value).toFixed(2)}` : value.toFixed(2);
}
