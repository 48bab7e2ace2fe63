// What the checker found: five numbers, and the smallest anomaly of each kind with the events that lead to it.

import { fill, h, text } from "../common/dom.js";
import { framed } from "../common/frame.js";
import { example } from "./example.js";
import "./verdict.css";

const KINDS = {
  lost: "A video that was accepted is gone, or has no original.",
  stuck: "A video did not end in time.",
  twice: "Something was done, or told, a second time and counted.",
  wrong: "What is there is not what was sent, or does not play.",
  leaked: "Something was left behind: a file, a process, a lease.",
};
const SHOWN = ["told", "problem", "judging", "answer"];

export default framed("verdict", ({ model, root }) => {
  const verdict = new Verdict(model, root);
  const draw = () => verdict.draw();
  for (const name of SHOWN) model.on(`change:${name}`, draw);
  draw();
  verdict.call();
  return () => {
    for (const name of SHOWN) model.off(`change:${name}`, draw);
  };
});

class Verdict {
  constructor(model, root) {
    this.model = model;
    this.outcome = h("strong", { class: "vl-outcome", role: "status" });
    this.about = h("span", { class: "vl-dim" });
    this.again = h("button", { type: "button", class: "vl-button", hidden: true, onclick: () => this.judge() }, "Judge again");
    this.numbers = h("dl", { class: "vl-numbers" });
    this.legal = h("p", { class: "vl-legal vl-dim" });
    this.examples = h("div", { class: "vl-examples" });
    this.problem = h("p", { class: "vl-problem", role: "alert" });
    root.append(h("div", { class: "vl-row vl-caption" }, this.outcome, this.about, this.again), this.numbers, this.legal, this.problem, this.examples);
  }

  // Who answers is a kernel: where there is none, as on a page that was exported, there is no button.
  call() {
    this.word = crypto.randomUUID?.() ?? String(Math.random());
    this.model.set("call", this.word);
    this.model.save_changes();
  }

  judge() {
    this.model.set("wanted", this.model.get("wanted") + 1);
    this.model.save_changes();
  }

  draw() {
    const told = this.model.get("told") ?? {};
    const judging = this.model.get("judging");
    text(this.problem, this.model.get("problem"));
    // Another view of the same widget may have called after this one.
    this.answered ||= Boolean(this.word) && this.model.get("answer") === this.word;
    this.again.hidden = !this.answered;
    this.again.disabled = Boolean(judging);
    text(this.again, judging ? "judging …" : "Judge again");
    if ("well" in told) this.show(told);
    else text(this.outcome, "no verdict yet");
  }

  show(told) {
    text(this.outcome, told.well ? "✓ all is well" : "✗ not well");
    this.outcome.dataset.well = told.well;
    text(this.about, told.headline);
    fill(this.numbers, Object.keys(KINDS).map((kind) => number(kind, told[kind])));
    text(this.legal, repeats(told));
    fill(this.examples, told.examples.map((one) => example(one, told[one.kind])));
  }
}

function number(kind, count) {
  return h("div", { class: count ? "vl-number vl-harm" : "vl-number", title: KINDS[kind], dataset: { kind } }, h("dt", {}, kind), h("dd", { class: "vl-num" }, String(count)));
}

// What happened again and had no effect is no harm, and is told apart.
function repeats({ legal_repeats: count, legal }) {
  const kinds = Object.entries(legal).sort().map(([kind, times]) => `${kind.replaceAll("_", " ")} ${times}`);
  return count ? `${count} legal ${count === 1 ? "repeat" : "repeats"}, without effect: ${kinds.join(", ")}` : "no legal repeats";
}
