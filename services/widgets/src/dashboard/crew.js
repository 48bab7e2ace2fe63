// The processes as their supervisor tells them. While the API is silent nobody else does, and it may be the one to resume.

import { inquire } from "../common/control.js";
import { pause } from "../common/pause.js";

const EVERY = 1000; // milliseconds between two questions
const PATIENCE = 5000; // milliseconds for an answer

export class Crew {
  // `addresses()` gives where the supervisor is; `tell` is called with the processes, null when it is silent too.
  constructor(addresses, tell) {
    Object.assign(this, { addresses, tell, asking: null });
  }

  ask() {
    if (this.asking) return;
    this.asking = new AbortController();
    this.goOn(this.asking.signal);
  }

  async goOn(signal) {
    while (!signal.aborted) {
      const processes = await inquire(this.addresses(), "/processes", { signal, patience: PATIENCE }).catch(() => null);
      if (!signal.aborted) this.tell(processes);
      await pause(EVERY, signal);
    }
  }

  stop() {
    this.asking?.abort();
    this.asking = null;
  }
}
