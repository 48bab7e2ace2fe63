// Plays a video as a browser does it: adaptive HLS, with what the player knows shown as it goes.

// The light build has no subtitles and no tracks of sound apart from the picture: VidLab's segments hold both.
import Hls from "hls.js/light";
import { ask } from "../common/control.js";
import { fill, h, text } from "../common/dom.js";
import { bits, clock, percent, seconds } from "../common/format.js";
import { framed } from "../common/frame.js";
import { isAway, tooOften } from "../common/passing.js";
import { pause } from "../common/pause.js";
import { throttled } from "./throttle.js";
import "./player.css";

const LOOK = 1000; // milliseconds between two looks at a video that is not completed yet
const PATIENCE = 10_000; // milliseconds for one look
const TICK = 250; // milliseconds between two looks at what the player knows
const AUTO = "-1";
const SWITCHES = 6; // shown

const SPEEDS = [
  ["0", "no throttle"],
  ["6000000", "6 Mbit/s"],
  ["2000000", "2 Mbit/s"],
  ["800000", "800 kbit/s"],
  ["300000", "300 kbit/s"],
];

const WHICH = ["video_hash", "addresses"]; // what is played, and where it is asked for

export default framed("player", ({ model, root }) => {
  const player = new Player(model, root);
  const open = () => player.open();
  for (const name of WHICH) model.on(`change:${name}`, open);
  open();
  return (keep) => {
    for (const name of WHICH) model.off(`change:${name}`, open);
    player.stop(keep);
  };
});

class Player {
  constructor(model, root) {
    this.model = model;
    this.video = h("video", { controls: true, playsInline: true, preload: "auto", crossOrigin: "anonymous" });
    this.title = h("strong", { class: "vl-title" });
    this.about = h("span", { class: "vl-dim vl-num" });
    this.level = select("Level", (value) => this.force(Number(value)));
    this.speed = select("Line", () => {}, SPEEDS);
    this.facts = Object.fromEntries(["Level", "Bandwidth", "Buffer", "Position", "Dropped"].map((name) => [name, h("dd", { class: "vl-num" })]));
    this.switches = h("p", { class: "vl-switches vl-dim vl-num" });
    this.status = h("p", { class: "vl-status vl-dim", role: "status" });
    this.problem = h("p", { class: "vl-problem", role: "alert" });
    this.again = h("button", { type: "button", class: "vl-button", hidden: true, onclick: () => this.open() }, "Try again");
    this.stage = h("div", { class: "vl-stage" }, this.video);
    root.append(
      h("div", { class: "vl-row vl-caption" }, this.title, this.about),
      this.stage,
      h("div", { class: "vl-row" }, labelled("Level", this.level), labelled("Line", this.speed)),
      h("dl", { class: "vl-facts" }, Object.entries(this.facts).map(([name, value]) => h("div", {}, h("dt", { class: "vl-dim" }, name), value))),
      this.switches, this.status, this.problem, this.again,
    );
    for (const name of ["play", "pause", "waiting", "playing", "ended", "seeking"]) this.video.addEventListener(name, () => this.tell());
    this.ticking = setInterval(() => this.show(), TICK);
    this.video.addEventListener("error", () => this.video.error && !this.hls && this.fail(`The browser cannot play it: ${this.video.error.message}`));
  }

  get addresses() {
    return this.model.get("addresses");
  }

  // -- which video

  async open() {
    this.close();
    const opening = (this.opening = new AbortController());
    try {
      const found = await this.completed(opening.signal);
      if (!opening.signal.aborted) this.load(found);
    } catch (error) {
      if (!opening.signal.aborted) this.fail(error.message);
    }
  }

  // The video once it is completed; until then it is told how far it is.
  async completed(signal) {
    for (;;) {
      const { video, wait } = await this.look(signal);
      if (video?.status === "completed") return video;
      if (video?.status === "failed") throw new Error(`The video failed in ${video.error.stage}: ${video.error.reason}`);
      await pause(wait, signal);
    }
  }

  // One look at it, which is told while there is nothing to play, and how long to wait before the next one. Somebody who is away for now is waited for.
  async look(signal) {
    try {
      const video = await this.wanted(signal);
      if (video?.status === "completed") return { video };
      text(this.title, video ? video.title : "");
      text(this.status, video ? `${video.status}: ${howFar(video)}` : "No video is completed yet. Send one, and it is played here.");
      return { video, wait: LOOK };
    } catch (error) {
      if (!isAway(error) && !tooOften(error)) throw error;
      text(this.status, `${error.message} It is asked again.`);
      return { wait: 1000 * (error.problem?.wait ?? 2) };
    }
  }

  async wanted(signal) {
    const hash = this.model.get("video_hash");
    const options = { signal, patience: PATIENCE };
    if (hash) return ask(this.addresses, `/videos/${hash}`, options);
    return (await ask(this.addresses, "/videos?status=completed&limit=1", options)).items[0];
  }

  // -- playing

  load(video) {
    this.shown = video;
    text(this.title, video.title);
    text(this.about, [`${video.width}x${video.height}`, seconds(video.duration), video.video_hash.slice(0, 12)].join(" · "));
    text(this.status, "ready: press play");
    this.stage.style.aspectRatio = `${video.width} / ${video.height}`;
    if (video.thumbnail_url) this.video.poster = video.thumbnail_url;
    if (Hls.isSupported()) this.attach(video.master_url);
    else if (this.video.canPlayType("application/vnd.apple.mpegurl")) this.video.src = video.master_url;
    else this.fail("This browser can play no HLS: it has no Media Source Extensions.");
  }

  attach(url) {
    const hls = new Hls({
      enableWorker: false, // its worker would be a file of its own
      fLoader: throttled(Hls.DefaultConfig.loader, () => Number(this.speed.value)),
    });
    this.hls = hls;
    this.mended = false;
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.offer(hls.levels));
    hls.on(Hls.Events.LEVEL_SWITCHED, (_, { level }) => this.switched(hls.levels[level]));
    hls.on(Hls.Events.ERROR, (_, data) => this.failed(data));
    hls.loadSource(url);
    hls.attachMedia(this.video);
  }

  offer(levels) {
    const rows = levels.map((level, number) => [number, `${named(level)}, ${bits(level.bitrate)}`]);
    fill(this.level, [[AUTO, "automatic"], ...rows.reverse()].map(option));
  }

  force(level) {
    if (this.hls) this.hls.currentLevel = level; // what is buffered of another level is dropped: it shows at once
  }

  switched(level) {
    this.history = [...this.history, `${clock(this.video.currentTime)} ${named(level)}`].slice(-SWITCHES);
    text(this.switches, `Levels: ${this.history.join(" → ")}`);
  }

  failed({ fatal, type, details, response }) {
    const code = response?.code;
    if (code === 404) this.seeWhetherItIsThere();
    if (!fatal) return;
    if (type === Hls.ErrorTypes.MEDIA_ERROR && !this.mended) {
      this.mended = true;
      this.hls.recoverMediaError();
      if (!this.video.currentTime) this.hls.startLoad(); // it does so by itself only where something was played
      return;
    }
    if (type === Hls.ErrorTypes.NETWORK_ERROR && !code) this.fail("The API does not answer: is the lab up?");
    else if (code === 404) this.fail("A part of the video is no longer there: was it deleted?");
    else this.fail(code ? `The API answers ${code} where it should send the video.` : `The video cannot be played (${details}).`);
  }

  // hls.js goes on asking for what is not there for most of a minute. A video that was deleted never comes back.
  async seeWhetherItIsThere() {
    try {
      await ask(this.addresses, `/videos/${this.shown.video_hash}`, { signal: this.opening.signal });
    } catch (error) {
      if (error.status !== 404) return;
      this.hls?.stopLoad();
      this.fail("The video is no longer there: it was deleted.");
    }
  }

  // -- what is told

  show() {
    const { video, hls, facts } = this;
    const playing = hls?.levels[hls.currentLevel];
    text(facts.Level, playing ? `${named(playing)}${hls.autoLevelEnabled ? "" : ", forced"}` : "–");
    text(facts.Bandwidth, (hls && this.history.length && bits(hls.bandwidthEstimate)) || "–");
    text(facts.Buffer, this.shown ? `${ahead(video).toFixed(1)} s` : "–");
    text(facts.Position, this.shown ? `${clock(video.currentTime)} of ${clock(video.duration || this.shown.duration)}` : "–");
    const quality = video.getVideoPlaybackQuality?.();
    text(facts.Dropped, quality?.totalVideoFrames ? `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}` : "–");
  }

  tell() {
    if (!this.shown || this.problem.textContent) return;
    const { video } = this;
    const words = video.ended ? "the end: play begins it again" : video.paused ? "paused" : video.readyState < 3 ? "waiting for data" : "playing";
    text(this.status, words);
    this.show();
  }

  fail(words) {
    text(this.problem, words);
    text(this.status, "");
    this.again.hidden = false;
  }

  // -- the end

  close() {
    this.detach();
    this.video.removeAttribute("poster");
    fill(this.level, option([AUTO, "automatic"]));
    for (const element of [this.title, this.about, this.switches, this.status, this.problem]) text(element, "");
    this.again.hidden = true;
  }

  // Nothing is fetched or played any more.
  detach() {
    this.opening?.abort();
    this.hls?.destroy();
    this.hls = this.shown = null;
    this.history = [];
    this.video.removeAttribute("src");
    this.video.load();
  }

  stop(keep) {
    clearInterval(this.ticking);
    this.video.pause();
    if (keep) this.detach();
    else this.close();
  }
}

function select(label, onchange, options = [[AUTO, "automatic"]]) {
  return h("select", { class: "vl-select", "aria-label": label, onchange: ({ target }) => onchange(target.value) }, options.map(option));
}

function labelled(words, control) {
  return h("label", { class: "vl-row" }, h("span", { class: "vl-dim" }, words), control);
}

function option([value, words]) {
  return h("option", { value: String(value) }, words);
}

// 480p: a rung is named by its lower side, also when the picture is upright.
function named({ width, height }) {
  return `${Math.min(width, height)}p`;
}

function ahead({ buffered, currentTime }) {
  for (let range = 0; range < buffered.length; range++) {
    if (buffered.start(range) <= currentTime + 0.1 && currentTime <= buffered.end(range)) return buffered.end(range) - currentTime;
  }
  return 0;
}

function howFar({ profiles }) {
  return profiles.map(({ name, state, progress }) => `${name} ${state === "running" ? percent(progress) : state}`).join(", ");
}
