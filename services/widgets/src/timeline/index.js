// Where a video's time went: a row for each stage, waiting apart from work, each attempt with what it was made of.

import { ask } from "../common/control.js";
import { fill, h, text } from "../common/dom.js";
import { framed } from "../common/frame.js";
import { watch } from "../common/live.js";
import { drawn } from "./bars.js";
import { plan } from "./plan.js";
import "./timeline.css";

const LOOK = 1000; // milliseconds between two looks while the video goes on, and after its end while spans are told late
const PATIENCE = 10_000; // milliseconds for one answer
const GATHER = 250; // milliseconds in which news are gathered before the spans are asked for
const GROW = 200; // milliseconds between two drawings of what lasts
const LATE = 3000; // milliseconds after its end in which spans may still be told

const HINT = "Point at a bar, or go to it by the Tab key, to read what it is.";

const WHICH = ["video_hash", "addresses"]; // what is shown, and where it is asked for

export default framed("timeline", ({ model, root }) => {
  const timeline = new Timeline(model, root);
  const open = () => timeline.open();
  for (const name of WHICH) model.on(`change:${name}`, open);
  open();
  return (keep) => {
    for (const name of WHICH) model.off(`change:${name}`, open);
    timeline.stop(keep);
  };
});

class Timeline {
  constructor(model, root) {
    this.model = model;
    this.title = h("strong", { class: "vl-title" });
    this.about = h("span", { class: "vl-dim vl-num" });
    this.outcome = h("span", { class: "vl-outcome vl-num" });
    this.grid = h("div", { class: "vl-grid" });
    this.detail = h("p", { class: "vl-detail vl-dim", role: "status" });
    this.problem = h("p", { class: "vl-problem", role: "alert" });
    root.append(h("div", { class: "vl-row vl-caption" }, this.title, this.about, this.outcome), this.grid, legend(), this.detail, this.problem);
  }

  get addresses() {
    return this.model.get("addresses");
  }

  get now() {
    return Date.now() + this.offset;
  }

  // -- which video

  async open() {
    this.close();
    Object.assign(this, { video: null, spans: [], wrong: {}, offset: 0, opening: new AbortController() });
    const { signal } = this.opening;
    text(this.detail, "looking for the video");
    try {
      const video_hash = await this.wanted(signal);
      if (!signal.aborted) this.follow(video_hash);
    } catch (error) {
      if (!signal.aborted) this.fail(error.message, () => this.open());
    }
  }

  // The hash that is named, or that of the newest video once there is one.
  async wanted(signal) {
    for (;;) {
      const named = this.model.get("video_hash") || (await ask(this.addresses, "/videos?limit=1", { signal, patience: PATIENCE })).items[0]?.video_hash;
      if (named) return named;
      text(this.detail, "No video is there yet. Send one, and it is shown here.");
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      signal.throwIfAborted();
    }
  }

  follow(video_hash) {
    this.hash = video_hash;
    this.unwatch = watch(this.addresses, {
      path: `/videos/${video_hash}/live`,
      onMessage: (message) => this.take(message),
      onState: (state, why) => this.complain({ connection: state === "live" ? "" : why }),
    });
    this.growing = setInterval(() => this.grow(), GROW);
  }

  take(message) {
    if (message.type === "snapshot") this.offset = Date.parse(message.at) - Date.now();
    if (message.type === "gone") return this.end("The video was deleted.");
    if (message.video) this.video = message.video;
    this.soon(GATHER);
  }

  // -- its spans

  soon(pause) {
    this.asking ??= setTimeout(() => this.read(), pause);
  }

  async read() {
    const { signal } = this.opening;
    let again = LOOK;
    try {
      this.spans = (await ask(this.addresses, `/videos/${this.hash}/timeline`, { signal, patience: PATIENCE })).spans;
      if (signal.aborted) return;
      this.complain({ spans: "" });
      this.draw();
    } catch (error) {
      if (signal.aborted) return;
      this.complain({ spans: error.message });
      again = 2 * LOOK;
    }
    if (signal.aborted) return;
    this.asking = null;
    if (this.lasts() || again > LOOK) this.soon(again);
  }

  // Whether more is to come without news: spans within an attempt are not told.
  lasts() {
    const ended = Date.parse(this.video?.ended_at ?? "");
    return !(this.now - ended > LATE) || this.spans.some((span) => !span.ended_at);
  }

  // -- drawing

  grow() {
    if (this.video && this.spans.some((span) => !span.ended_at)) this.draw();
  }

  draw() {
    if (!this.video) return;
    const planned = plan(this.video, this.spans, this.now);
    planned.zero = Number.isNaN(planned.finalized) ? planned.from : planned.finalized;
    const looked = document.activeElement?.dataset?.id;
    fill(this.grid, drawn(planned, (words) => text(this.detail, words)));
    // Who reads a bar by the keyboard stays on it while the chart grows.
    if (looked) [...this.grid.querySelectorAll("[data-id]")].find(({ dataset }) => dataset.id === looked)?.focus({ preventScroll: true });
    this.caption();
  }

  caption() {
    const { video } = this;
    text(this.title, video.title || video.filename);
    text(this.about, video.video_hash.slice(0, 8));
    const took = (Date.parse(video.ended_at ?? "") - Date.parse(video.finalized_at ?? "")) / 1000;
    text(this.outcome, Number.isFinite(took) ? `${video.status} ${took.toFixed(1)} s after finalize` : video.status);
    this.outcome.dataset.status = video.status;
    if (this.detail.textContent === "looking for the video" || !this.detail.textContent) text(this.detail, HINT);
  }

  // What is wrong with the connection, and with the spans: each until it is well again.
  complain(now) {
    Object.assign(this.wrong, now);
    text(this.problem, this.wrong.spans || this.wrong.connection);
  }

  // -- the end

  fail(words, again) {
    text(this.problem, words);
    this.asking = setTimeout(again, 2 * LOOK);
  }

  end(words) {
    this.close();
    text(this.problem, words);
  }

  close() {
    this.halt();
    fill(this.grid);
    for (const element of [this.title, this.about, this.outcome, this.detail, this.problem]) text(element, "");
  }

  halt() {
    this.opening?.abort();
    this.unwatch?.();
    clearInterval(this.growing);
    clearTimeout(this.asking);
    this.asking = this.unwatch = null;
  }

  stop(keep) {
    if (keep) this.halt();
    else this.close();
  }
}

function legend() {
  const rows = [["queue", "waits"], ["work", "works"], ["inner", "what the work is made of"], ["work vl-is-lost", "lost"], ["work vl-is-error", "failed"]];
  return h("div", { class: "vl-legend vl-row vl-dim", style: { "--vl-row": "var(--vl-accent)" } }, rows.map(([kind, words]) => h("span", {}, h("i", { class: `vl-sample vl-${kind}` }), words)), h("span", {}, h("i", { class: "vl-sample vl-line vl-finalized" }), "finalized (0 s)"), h("span", {}, h("i", { class: "vl-sample vl-line vl-ended" }), "end"));
}
