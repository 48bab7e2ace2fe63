// Sends videos from the browser straight to the upload API, in chunks: the kernel sees none of it, and may be busy.

import { ask, request, token } from "../common/control.js";
import { fill, h, text } from "../common/dom.js";
import { framed } from "../common/frame.js";
import { Row } from "./row.js";
import "./upload.css";

export default framed("upload", ({ model, root }) => {
  const widget = new Upload(model, root);
  const offer = () => widget.offerClips();
  model.on("change:addresses", offer);
  offer();
  return () => {
    model.off("change:addresses", offer);
    widget.stop();
  };
});

class Upload {
  constructor(model, root) {
    this.model = model;
    this.stopped = false;
    this.rows = [];
    this.aborting = new AbortController();
    this.input = h("input", { type: "file", multiple: true, accept: "video/*,.mkv,.ts,.avi,.mp4", class: "vl-hidden", tabindex: "-1", "aria-label": "Files" });
    this.input.addEventListener("change", () => this.chosen());
    this.choose = h("button", { type: "button", class: "vl-button vl-main", onclick: () => this.input.click() }, "Choose files");
    this.clips = h("select", { class: "vl-select", "aria-label": "Sample clip" });
    this.send = h("button", { type: "button", class: "vl-button", onclick: () => this.sendClip() }, "Send clip");
    this.problem = h("p", { class: "vl-problem", role: "alert" });
    this.list = h("ul", { class: "vl-uploads" });
    this.drop = h("div", { class: "vl-drop" }, h("div", { class: "vl-row" }, this.choose, h("span", { class: "vl-dim" }, "or drop them here")));
    root.append(
      h("div", { class: "vl-top" }, this.drop, h("div", { class: "vl-row" }, h("label", { class: "vl-row" }, h("span", { class: "vl-dim" }, "Sample clip"), this.clips), this.send)),
      this.input, this.problem, this.list,
    );
    this.listen();
  }

  get addresses() {
    return this.model.get("addresses");
  }

  listen() {
    const over = (on) => (event) => {
      event.preventDefault();
      this.drop.classList.toggle("vl-over-it", on);
    };
    for (const name of ["dragenter", "dragover"]) this.drop.addEventListener(name, over(true));
    for (const name of ["dragleave", "drop"]) this.drop.addEventListener(name, over(false));
    this.drop.addEventListener("drop", ({ dataTransfer }) => this.take([...dataTransfer.files]));
  }

  chosen() {
    const files = [...this.input.files];
    this.input.value = ""; // so that the same file can be chosen again
    this.take(files);
  }

  // What is dropped on a widget that has ended, or fetched for it, is not sent.
  take(files) {
    if (this.stopped) return;
    text(this.problem, "");
    for (const file of files) this.begin(file);
  }

  begin(file) {
    const row = new Row(() => this.addresses, file, this.model.get("chunk_bytes"), (video) => this.sent(video));
    // The one that is sent again takes the place of its earlier try.
    this.rows.filter((other) => other.ended && other.file.name === file.name).forEach((other) => other.remove());
    this.rows = [...this.rows.filter((other) => other.element.isConnected), row];
    this.list.prepend(row.element);
    row.start();
  }

  // The kernel is told when it has time: `upload.video_hash` and `upload.sent`.
  sent(video) {
    this.model.set("sent", [...(this.model.get("sent") ?? []), video.video_hash]);
    this.model.set("video_hash", video.video_hash);
    this.model.save_changes();
  }

  async offerClips() {
    this.send.disabled = true;
    try {
      const clips = await ask(this.addresses, "/clips", { signal: this.aborting.signal });
      fill(this.clips, clips.map(({ name, what }) => h("option", { value: name }, `${name}: ${what}`)));
      text(this.problem, "");
      this.send.disabled = false;
    } catch (error) {
      this.complain(error);
    }
  }

  // The clip's bytes come to the browser, and then go the way of a file that was chosen.
  async sendClip() {
    const name = this.clips.value;
    text(this.problem, "");
    this.send.disabled = true;
    text(this.send, "Fetching …");
    try {
      const options = { headers: token(this.addresses), signal: this.aborting.signal };
      const answer = await request("The API", `${this.addresses.api}/clips/${name}`, options);
      const content = await answer.blob();
      // Each time another upload: a sample is sent to see it go through, also when it was sent before.
      this.take([new File([content], `${name}.${ending(answer)}`, { type: content.type, lastModified: Date.now() })]);
    } catch (error) {
      this.complain(error);
    }
    text(this.send, "Send clip");
    this.send.disabled = this.stopped;
  }

  complain(error) {
    if (error.name !== "AbortError") text(this.problem, error.message);
  }

  stop() {
    this.stopped = true;
    this.aborting.abort();
    for (const row of this.rows) row.stop();
  }
}

function ending(answer) {
  return { "video/webm": "webm", "video/x-msvideo": "avi", "video/mp2t": "ts" }[answer.headers.get("Content-Type")] ?? "mp4";
}

