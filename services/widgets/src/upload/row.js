// One file in the list: its bar, its speed, its buttons, and what became of it.

import { fill, h, text } from "../common/dom.js";
import { bytes, percent, seconds } from "../common/format.js";
import { Sending } from "./sending.js";

const WINDOW = 5000; // milliseconds over which the speed is measured

export class Row {
  // `where()` gives the lab's addresses, which may be others after a pause.
  constructor(where, file, chunkBytes, onSent) {
    Object.assign(this, { file, onSent, ended: false, samples: [] });
    this.sending = new Sending(where, file, chunkBytes);
    this.bar = h("i", {});
    this.meter = h("div", { class: "vl-bar", role: "progressbar", "aria-label": file.name, "aria-valuemin": "0", "aria-valuemax": "100" }, this.bar);
    this.state = h("span", { class: "vl-state vl-dim vl-num", role: "status" });
    this.problem = h("p", { class: "vl-problem", role: "alert" });
    this.buttons = h("span", { class: "vl-row" });
    const name = h("span", { class: "vl-name", title: file.name }, file.name);
    this.element = h(
      "li", { class: "vl-upload", dataset: { file: file.name } },
      h("div", { class: "vl-head" }, name, h("span", { class: "vl-dim vl-num" }, bytes(file.size)), this.buttons),
      this.meter, this.state, this.problem,
    );
  }

  async start() {
    this.aborting = new AbortController();
    const { signal } = this.aborting;
    this.become("sending", this.button("Pause", () => this.pause()));
    text(this.state, "preparing …");
    text(this.problem, "");
    try {
      const { video, before } = await this.sending.run(signal, (...told) => this.progress(...told), (wait) => this.wait(wait));
      if (!signal.aborted) this.sent(video, before);
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    }
  }

  pause() {
    this.stop();
    this.become("paused", this.button("Resume", () => this.start()));
    text(this.state, `paused at ${percent(this.sending.done / this.file.size)}`);
    this.buttons.lastElementChild.focus();
  }

  // `anew`: where this run begins, from which no speed follows.
  progress(done, total, anew) {
    const now = performance.now();
    if (anew) this.samples = [];
    this.samples = [...this.samples.filter(([at]) => now - at < WINDOW), [now, done]];
    this.draw(done / total);
    const [[since, from]] = this.samples;
    const speed = (1000 * (done - from)) / (now - since);
    const left = speed > 0 ? `${bytes(speed)}/s, ${seconds((total - done) / speed)} left` : "";
    text(this.state, [`${bytes(done)} of ${bytes(total)}`, done === total ? "finishing …" : left].filter(Boolean).join(" · "));
  }

  draw(fraction) {
    this.bar.style.width = `${100 * fraction}%`;
    this.meter.setAttribute("aria-valuenow", String(Math.floor(100 * fraction)));
  }

  wait(words) {
    text(this.problem, words);
  }

  // `before`: it was sent when the same file was chosen earlier, and nothing was sent now.
  sent(video, before) {
    this.ended = true;
    this.draw(1);
    this.become("sent", before && this.button("Send again", () => this.sendAgain()));
    const words = before ? `was sent before, and is ${video.status}` : "sent, and handed to the pipeline";
    fill(this.state, `${words} · video `, h("code", {}, video.video_hash.slice(0, 12)));
    this.onSent(video);
  }

  sendAgain() {
    this.sending.anew();
    this.start();
  }

  fail(error) {
    this.ended = true;
    this.stop(); // what else is on its way of this file
    this.become("failed", this.button("Try again", () => this.start()));
    text(this.state, `stopped at ${percent(this.file.size ? this.sending.done / this.file.size : 0)}`);
    text(this.problem, error.message);
  }

  become(state, ...buttons) {
    this.element.dataset.state = state;
    if (state === "sending") this.ended = false;
    const away = state === "sending" ? null : this.button("Remove", () => this.remove());
    // Where Pause was, a second click must not fall on Remove.
    fill(this.buttons, away, buttons);
  }

  button(label, onclick) {
    return h("button", { type: "button", class: "vl-button", "aria-label": `${label} ${this.file.name}`, onclick }, label);
  }

  remove() {
    this.stop();
    this.element.remove();
  }

  stop() {
    this.aborting?.abort();
  }
}
