// The newest videos, each with a bar for every step and profile: percent, speed, what is left, attempt, place.

import { h, text } from "../common/dom.js";
import { percent, seconds } from "../common/format.js";
import { colourOf, FIRST, lanesOf } from "./lanes.js";

const SHOWN = 2; // videos
const MASTER = "master";

export class Bars {
  constructor() {
    this.cards = Array.from({ length: SHOWN }, (_, number) => new Card(number));
    this.elements = this.cards.map(({ element }) => element);
  }

  show(state) {
    const names = [FIRST, ...lanesOf(state).lanes.filter(({ name }) => known(state, name)).map(({ name }) => name), MASTER];
    this.cards.forEach((card, number) => card.show(state.videos[number] ?? null, names));
  }
}

// A lane that only watches (a group of a lesson's own) has no bar.
function known({ videos, queues }, name) {
  return videos.slice(0, SHOWN).some(({ profiles }) => profiles.some((job) => job.name === name)) || (!videos.length && Boolean(queues));
}

class Card {
  constructor(number) {
    this.title = h("strong", { class: "vl-title" });
    this.status = h("span", { class: "vl-chip" });
    this.rows = h("div", { class: "vl-jobs" });
    this.known = new Map();
    this.empty = number ? "The video before stands here." : "No video yet.";
    this.element = h("section", { class: `vl-card vl-video${number + 1}`, "aria-label": number ? "The video before" : "The newest video" }, h("header", {}, this.title, this.status), this.rows);
  }

  show(video, names) {
    text(this.title, video ? video.title || video.filename : this.empty);
    this.title.title = video?.video_hash ?? "";
    text(this.status, video ? statusOf(video) : "");
    this.status.dataset.status = video?.status ?? "";
    this.arrange(names);
    const jobs = new Map([...(video?.steps ?? []), ...(video?.profiles ?? [])].map((job) => [job.name, job]));
    names.forEach((name, index) => this.known.get(name).show(jobs.get(name), video, colour(name, index - 1)));
  }

  arrange(names) {
    if (this.names === names.join(" ")) return;
    this.names = names.join(" ");
    this.known = new Map(names.map((name) => [name, this.known.get(name) ?? new Row(name)]));
    this.rows.replaceChildren(...[...this.known.values()].map(({ element }) => element));
  }
}

function colour(name, index) {
  return name === FIRST || name === MASTER ? colourOf(null) : colourOf(index);
}

class Row {
  constructor(name) {
    this.fill = h("i", {});
    this.bar = h("span", { class: "vl-bar", role: "progressbar", "aria-label": name, "aria-valuemin": "0", "aria-valuemax": "100" }, this.fill);
    this.note = h("span", { class: "vl-note vl-num" });
    this.element = h("div", { class: "vl-job", "data-job": name }, h("span", { class: "vl-name" }, name), this.bar, this.note);
  }

  show(job, video, hue) {
    const share = { done: 1, running: job?.progress ?? 0 }[job?.state] ?? 0;
    this.element.style.setProperty("--colour", hue);
    this.element.dataset.state = job?.state ?? "";
    this.fill.style.width = `${(100 * share).toFixed(1)}%`;
    this.bar.setAttribute("aria-valuenow", Math.floor(100 * share));
    const words = job ? noteOf(job, video) : "";
    text(this.note, words);
    this.note.title = job?.error ?? words;
  }
}

const NOTES = {
  waiting: (job, video) => (job.error ? job.error : job.name === MASTER ? "waits for the others" : video.status === "processing" || job.name === FIRST ? "in Kafka" : ""),
  queued: ({ place, attempt }) => [place === 1 ? "next in its queue" : place ? `place ${place}` : "queued", tried(attempt + 1)],
  running: ({ progress, speed, eta, attempt }) => [percent(progress), speed && times(speed), eta !== null && `${seconds(eta)} left`, tried(attempt)],
  done: ({ started_at: from, finished_at: to, speed, attempt }) => [from && to ? seconds((Date.parse(to) - Date.parse(from)) / 1000) : "done", speed && times(speed), tried(attempt)],
  skipped: ({ error }) => error ?? "not needed",
  failed: ({ error }) => error ?? "failed",
  cancelled: () => "cancelled",
};

function noteOf(job, video) {
  const words = NOTES[job.state]?.(job, video) ?? job.state;
  return [words].flat().filter(Boolean).join("  ");
}

function times(speed) {
  return `${speed.toFixed(speed < 10 ? 1 : 0)}x`;
}

function tried(attempt) {
  return attempt > 1 && `attempt ${attempt}`;
}

function statusOf({ status, finalized_at: from, ended_at: to }) {
  return from && to ? `${status}, ${seconds((Date.parse(to) - Date.parse(from)) / 1000)}` : status;
}
