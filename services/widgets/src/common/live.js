// What the lab tells as it happens: by WebSocket, and by asking again and again while no socket can be had.

import { ask } from "./control.js";

const POLL = 2000; // milliseconds between questions without a socket
const FIRST_PAUSE = 500; // milliseconds before the first new try; doubled each time
const LONGEST_PAUSE = 5000; // milliseconds
const SILENCE = 5000; // milliseconds in which a socket must have said something
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
    Object.assign(this, { addresses, path, onMessage, onState, pause: FIRST_PAUSE, stopped: false, state: "" });
    this.aborting = new AbortController();
  }

  connect() {
    if (this.stopped) return;
    const socket = new WebSocket(this.addresses.api.replace(/^http/, "ws") + this.path, protocols(this.addresses));
    this.socket = socket;
    // One that is opened and then says nothing is as good as none.
    this.hush = setTimeout(() => socket.close(), SILENCE);
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.lose(code, reason);
  }

  take(message) {
    if (this.stopped) return;
    clearTimeout(this.hush);
    clearTimeout(this.asking);
    this.asking = null;
    this.pause = FIRST_PAUSE;
    this.become("live", "");
    this.onMessage(message);
  }

  lose(code, reason) {
    clearTimeout(this.hush);
    if (this.stopped) return;
    if (code === UNKNOWN_VIDEO) {
      this.stop();
      this.onState("lost", reason || "There is no such video.");
      return;
    }
    this.trying = setTimeout(() => this.connect(), this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    // Asked at once: a socket that cannot be had must not leave the page empty.
    this.asking ??= setTimeout(() => this.poll(), 0);
  }

  async poll() {
    let pause = POLL;
    try {
      const snapshot = await ask(this.addresses, this.path, { signal: this.aborting.signal });
      if (this.asking === null || this.stopped) return; // the socket was faster
      this.become("polling", "The live connection is lost; the lab is asked every 2 s.");
      this.onMessage(snapshot);
    } catch (error) {
      if (this.stopped) return;
      pause = Math.max(pause, 1000 * (error.problem?.wait ?? 0));
      if (this.asking !== null) this.become("lost", error.message);
    }
    if (this.asking !== null && !this.stopped) this.asking = setTimeout(() => this.poll(), pause);
  }

  become(state, why) {
    if (state === this.state && why === this.why) return;
    Object.assign(this, { state, why });
    this.onState(state, why);
  }

  stop() {
    this.stopped = true;
    for (const timer of [this.hush, this.trying, this.asking]) clearTimeout(timer);
    this.aborting.abort();
    this.socket?.close();
  }
}

// A browser's WebSocket cannot send a header, but names of subprotocols.
function protocols({ token }) {
  if (!token) return ["vidlab"];
  const encoded = btoa(token).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return ["vidlab", `vidlab.token.${encoded}`];
}
