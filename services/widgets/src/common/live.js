// What the lab tells as it happens: by WebSocket, and by asking again and again while no socket can be had.

import { ask, Silent } from "./control.js";
import { pause } from "./pause.js";

const POLL = 2000; // milliseconds between questions without a socket
const PATIENCE = 12000; // milliseconds for an answer: the API itself waits 10 s for a database that is locked
const FIRST_PAUSE = 500; // milliseconds before the first new try; doubled each time
const LONGEST_PAUSE = 5000; // milliseconds
const SILENCE = 6000; // milliseconds; a lab at rest says every 2 s that it is there
const UNKNOWN_VIDEO = 4404; // the code with which the API closes

// Call `onMessage` with the snapshot and each change, and `onState` with "live", "polling" or "lost", and why.
// Returns what stops it. While no socket can be had, `onMessage` gets whole snapshots.
export function watch(addresses, { path = "/live", onMessage, onState = () => {} }) {
  const watcher = new Watcher(addresses, path, onMessage, onState);
  watcher.connect();
  return () => watcher.stop();
}

class Watcher {
  constructor(addresses, path, onMessage, onState) {
    Object.assign(this, { addresses, path, onMessage, onState, pause: FIRST_PAUSE, state: "", polling: null });
  }

  connect() {
    const socket = new WebSocket(this.addresses.api.replace(/^http/, "ws") + this.path, protocols(this.addresses));
    this.socket = socket;
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.lose(code, reason);
    this.hear();
  }

  // One that says nothing hangs, and is as good as none.
  hear() {
    clearTimeout(this.hush);
    this.hush = setTimeout(() => this.hang(), SILENCE);
  }

  take(message) {
    this.hear();
    this.polling?.abort();
    this.polling = null;
    this.pause = FIRST_PAUSE;
    this.become("live", "");
    if (message.type !== "beat") this.onMessage(message);
  }

  hang() {
    this.drop();
    this.become("lost", new Silent("The API").message);
    this.lose();
  }

  lose(code, reason) {
    clearTimeout(this.hush);
    if (code === UNKNOWN_VIDEO) {
      this.stop();
      this.onState("lost", reason || "There is no such video.");
      return;
    }
    this.trying = setTimeout(() => this.connect(), this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    if (this.polling) return;
    this.polling = new AbortController();
    this.poll(this.polling.signal);
  }

  // At once, and again and again: a socket that cannot be had must not leave the page empty.
  async poll(signal) {
    while (!signal.aborted) await pause(await this.look(signal), signal);
  }

  // One question; gives the milliseconds until the next.
  async look(signal) {
    try {
      const snapshot = await ask(this.addresses, this.path, { signal, patience: PATIENCE });
      if (signal.aborted) return 0; // the socket was faster
      this.become("polling", "The live connection is lost; the lab is asked every 2 s.");
      this.onMessage(snapshot);
      return POLL;
    } catch (error) {
      if (!signal.aborted) this.become("lost", error.message);
      return Math.max(POLL, 1000 * (error.problem?.wait ?? 0));
    }
  }

  become(state, why) {
    if (state === this.state && why === this.why) return;
    Object.assign(this, { state, why });
    this.onState(state, why);
  }

  // What the socket still says counts no more. That it is closed a hung one may tell much later.
  drop() {
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }

  stop() {
    clearTimeout(this.hush);
    clearTimeout(this.trying);
    this.polling?.abort();
    this.drop();
  }
}

// A browser's WebSocket cannot send a header, but names of subprotocols.
function protocols({ token }) {
  if (!token) return ["vidlab"];
  const encoded = btoa(token).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return ["vidlab", `vidlab.token.${encoded}`];
}
