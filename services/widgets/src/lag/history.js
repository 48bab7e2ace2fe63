// What the chart shows: how far each group was behind at each moment of the last minutes, and what was done meanwhile.

// The lab's events that are marked, and their words; of the rest the chart says nothing.
const MARKS = {
  fault: (event) => clipped(`fault: ${event.text.slice(event.process.length).trim()}`),
  fault_over: (event) => `fault over: ${event.process}`,
  killed: (event) => `kill ${event.process}`,
  exited: (event) => `${event.process} ended`,
  paused: (event) => `pause ${event.process}`,
  resumed: (event) => `resume ${event.process}`,
  scaled: (event) => event.text.replace(/^(\S+) from (\d+) to (\d+)$/, "scale $1 $2 → $3"),
};

const SAME = 1500; // milliseconds within which the same is done to many, and is one mark
const CAUSES = new Set(["fault", "fault_over"]);
const EFFECTS = new Set(["killed", "exited", "paused", "resumed"]);

const LONGEST = 44; // characters of a label
const KEPT = 2; // times as long as is shown, so that a longer window has something to show

export class History {
  constructor() {
    this.groups = new Map(); // group -> [{ at, messages, seconds }], times in the lab's clock, milliseconds
    this.events = new Map(); // id -> { at, kind, what, words, process }
  }

  // Every group's lag as it is now. `null` for what is not known: the line has a gap there.
  note(at, lag) {
    for (const { group, messages, seconds } of lag) {
      if (!this.groups.has(group)) this.groups.set(group, []);
      this.groups.get(group).push({ at, messages, seconds });
    }
  }

  // Nobody knows: no line goes on over this.
  gap(at) {
    for (const points of this.groups.values()) {
      if (points.length && points.at(-1).messages !== null) points.push({ at, messages: null, seconds: null });
    }
  }

  mark(event) {
    if (event.source !== "lab" || !MARKS[event.kind] || this.events.has(event.id)) return;
    this.events.set(event.id, { at: Date.parse(event.at), kind: event.kind, process: event.process ?? "", words: MARKS[event.kind](event) });
  }

  forget(now, window) {
    const oldest = now - KEPT * window;
    for (const [group, points] of this.groups) this.groups.set(group, points.filter(({ at }) => at >= oldest));
    for (const [id, { at }] of this.events) if (at < oldest) this.events.delete(id);
  }

  // When the first of what is known was noted.
  get begin() {
    return Math.min(Infinity, ...[...this.groups.values()].flatMap((points) => points.slice(0, 1)).map(({ at }) => at));
  }

  // Those since a moment, oldest first; the same to several processes at about the same time is one.
  marks(since) {
    const all = [...this.events.values()].filter(({ at }) => at >= since).sort((one, other) => one.at - other.at);
    const found = [];
    for (const event of all.filter((one) => !all.some((other) => explains(other, one)))) {
      const like = found.findLast(({ kind, at }) => kind === event.kind && event.at - at < SAME);
      if (like) like.count += 1;
      else found.push({ ...event, count: 1 });
    }
    return found.map((mark) => ({ ...mark, words: mark.count > 1 ? `${mark.words} +${mark.count - 1}` : mark.words }));
  }
}

// A fault does to a process what is told of the process too, and one that is killed ends.
function explains(cause, { kind, at, process }) {
  const near = Math.abs(cause.at - at) < SAME && process.startsWith(cause.process);
  return near && ((CAUSES.has(cause.kind) && EFFECTS.has(kind)) || (cause.kind === "killed" && kind === "exited"));
}

function clipped(words) {
  return words.length > LONGEST ? `${words.slice(0, LONGEST - 1)}…` : words;
}
