// One anomaly, and the trail of events to it; the one that shows it is marked "here".

import { h } from "../common/dom.js";

const SHOWN_HASH = 8; // characters

export function example({ kind, check, video_hash, text, events, shows, trail }, count) {
  const where = [events.length ? `event${events.length > 1 ? "s" : ""} ${events.join(", ")}` : "", shows].filter(Boolean).join("; ");
  return h("section", { class: "vl-example", dataset: { kind } },
    h("div", { class: "vl-row" },
      h("b", { class: "vl-kind" }, kind),
      h("span", {}, check),
      video_hash ? h("code", { title: video_hash }, video_hash.slice(0, SHOWN_HASH)) : h("span", { class: "vl-dim" }, "the lab's"),
      count > 1 ? h("span", { class: "vl-dim" }, `the smallest of ${count}`) : null,
    ),
    h("p", { class: "vl-text" }, text),
    where ? h("p", { class: "vl-where vl-dim" }, "look at: ", h("code", {}, where)) : null,
    trail.steps.length ? steps(trail) : null,
  );
}

function steps({ steps: found, more }) {
  return h("div", { class: "vl-scroll" }, h("table", { class: "vl-trail" },
    h("thead", {}, h("tr", {}, ["", "event", "at", "stage", "what", "process", ""].map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, found.flatMap((step) => [leftOut(step.gap), row(step)]), leftOut(more)),
  ));
}

function row({ id, at, stage, kind, process, attempt, fence, detail, here }) {
  const rest = [attempt ? `attempt ${attempt}` : "", fence !== null ? `fence ${fence}` : "", detail].filter(Boolean).join(", ");
  const cells = [here ? h("b", {}, "here ▸") : "", String(id), clock(at), stage ?? "", kind.replaceAll("_", " "), process, rest];
  return h("tr", { class: here ? "vl-here" : null, dataset: { event: id } }, cells.map((cell) => h("td", {}, cell)));
}

function leftOut(count) {
  if (!count) return null;
  return h("tr", { class: "vl-left-out vl-dim" }, h("td", {}), h("td", { colSpan: 6 }, `… ${count} ${count === 1 ? "event" : "events"} more`));
}

function clock(at) {
  const time = new Date(at);
  return `${time.toLocaleTimeString("en-GB")}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}
