// The dots of the flow, each moved from where it is to where it belongs, through the places in between.

import { dotsOf, STOPS } from "./dots.js";
import { colourOf } from "./lanes.js";
import { boxOf, home, seat } from "./layout.js";
import { attribute, s } from "./svg.js";

const HOP = 260; // milliseconds from a stop to the next
const LONGEST = 1300; // milliseconds of a way
const GONE = 300; // milliseconds in which a dot fades

export class Dots {
  constructor() {
    this.layer = s("g", { class: "vl-dots" });
    this.known = new Map();
  }

  show(state, rows, flow, plan) {
    const seats = new Map();
    const wanted = new Map();
    for (const dot of dotsOf(state, rows)) {
      const at = this.place(dot, rows, flow, plan, seats);
      if (at) wanted.set(dot.id, { dot, at });
    }
    for (const [id, { dot, at }] of wanted) this.put(id, dot, at, flow, plan);
    for (const id of [...this.known.keys()]) if (!wanted.has(id)) this.drop(id);
    this.plan = plan;
  }

  place(dot, rows, flow, plan, seats) {
    if (dot.stop === "master") {
      const row = rows.indexOf(dot.video);
      const index = flow.lanes.findIndex(({ name }) => name === dot.lane);
      return row < 0 || index < 0 ? null : home(plan, row, index, flow.lanes.length);
    }
    const key = `${dot.stop}/${dot.lane}`;
    const number = seats.get(key) ?? 0;
    seats.set(key, number + 1);
    return seat(plan, dot.stop, dot.lane, number);
  }

  put(id, dot, at, flow, plan) {
    const known = this.known.get(id) ?? this.make(id, dot, at, flow);
    attribute(known.element, { "data-stop": dot.stop, "data-failed": dot.failed ? "" : null });
    if (known.at.x === at.x && known.at.y === at.y) return;
    if (this.plan === plan) this.move(known, dot, at, plan);
    Object.assign(known, { at, stop: dot.stop });
    known.element.style.transform = shift(at);
  }

  // A dot begins where the one stands that it comes from, so that one sees the fan-out.
  make(id, dot, at, flow) {
    const colour = colourOf(flow.lanes.findIndex(({ name }) => name === dot.lane));
    const element = s("circle", { r: 4.5, class: "vl-dot", style: `--colour: ${colour}` }, s("title", {}, `${dot.video.title}: ${dot.lane}`));
    const parent = this.known.get(dot.parent);
    const known = { element, at: parent?.at ?? at, stop: parent?.stop ?? dot.stop };
    element.style.transform = shift(known.at);
    this.layer.append(element);
    this.known.set(id, known);
    return known;
  }

  move({ element, stop }, dot, at, plan) {
    const now = new DOMMatrix(getComputedStyle(element).transform);
    const way = between(stop, dot.stop).map((name) => centre(boxOf(plan, name, dot.lane))).filter(Boolean);
    const frames = [{ x: now.e, y: now.f }, ...way, at].map((point) => ({ transform: shift(point) }));
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.animate(frames, { duration: calm ? 0 : Math.min(LONGEST, HOP * (frames.length - 1)), easing: "ease-in-out" });
  }

  drop(id) {
    const { element } = this.known.get(id);
    this.known.delete(id);
    element.animate([{ opacity: 1 }, { opacity: 0 }], GONE).finished.then(() => element.remove(), () => element.remove());
  }
}

// The stops that lie between two; none on the way back.
function between(from, to) {
  return STOPS.slice(STOPS.indexOf(from) + 1, Math.max(STOPS.indexOf(to), 0));
}

function centre(box) {
  return box && { x: box.x + box.w / 2, y: box.y + box.h / 2 };
}

function shift({ x, y }) {
  return `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
}
