// One file on its way: cut into chunks, several at once, each with its checksum; paused, gone on with, tried again.
//
// The API knows the file again by an Idempotency-Key made of its name, size, time of change and the chunks' size. So
// the same file, chosen again after the page was loaded anew, is the same upload, and only what is missing goes. Where
// the browser still remembers which upload that was, not even the first chunk is sent a second time.

import { ask, request, Refused, token } from "../common/control.js";
import { isAway, tooOften } from "../common/passing.js";
import { pause } from "../common/pause.js";

const AT_ONCE = 3; // chunks
const PAUSES = [500, 1000, 2000, 4000, 4000, 4000, 8000, 8000]; // milliseconds between tries while something is away
const BEGIN_AGAIN = 5; // uploads of the same file that ended badly before, at most
const ROUNDS = 3; // of sending what finalize says is missing
const MOST_CHUNKS = 50000;

const UNSAFE =
  "On this page the browser computes no checksums: it does so on https, and on this machine's own addresses, such as " +
  "http://127.0.0.1. Open the notebook there, or send the file in Python: lab.upload(FILE)";

export class Sending {
  constructor(where, file, chunkBytes) {
    Object.assign(this, { where, file, video_hash: null, done: 0 });
    this.chunkBytes = Math.max(chunkBytes, Math.ceil(file.size / MOST_CHUNKS));
    this.total = Math.ceil(file.size / this.chunkBytes);
  }

  get addresses() {
    return this.where();
  }

  // Send what is missing and finalize. Gives the video, and whether it was there already, of an earlier choice of the
  // same file. Throws what aborted, Refused, Silent, or a sentence.
  // `tell` is called with what is waited for, or "". What goes on of a run that was aborted changes nothing more.
  async run(signal, onProgress, tell) {
    Object.assign(this, { onProgress, tell });
    if (!globalThis.crypto?.subtle) throw new Error(UNSAFE);
    if (!this.file.size) throw new Error("The file is empty.");
    this.key ??= await digest(`${this.file.name}\n${this.file.size}\n${this.file.lastModified}\n${this.chunkBytes}`);
    const begun = (await this.goOn(signal)) ?? (await this.begin(signal));
    if (begun.finalized) return { video: begun.finalized, before: true };
    remember(this.key, this.video_hash);
    await this.sendAll(begun.missing, signal);
    const video = await this.finalize(signal);
    remember(this.key, null);
    return { video, before: false };
  }

  // Make it another upload, though the file is the same.
  anew() {
    Object.assign(this, { key: crypto.randomUUID(), video_hash: null, done: 0 });
  }

  // What is missing of the upload that the browser remembers; null when that does not go on.
  async goOn(signal) {
    const hash = this.video_hash ?? remembered(this.key);
    if (!hash) return null;
    try {
      const found = await this.again(() => ask(this.addresses, `/videos/${hash}/upload`, { signal }), signal);
      const same = found.status === "uploading" && found.total_chunks === this.total;
      this.video_hash = same ? hash : null;
      return same ? found : null;
    } catch (error) {
      if (error.status !== 404) throw error;
      this.video_hash = null;
      return null;
    }
  }

  // The first chunk ties the file to its upload, and the answer tells what is missing.
  async begin(signal) {
    for (let round = 0; round < BEGIN_AGAIN; round++) {
      try {
        const answer = await this.send(0, signal);
        this.video_hash = answer.video_hash;
        return answer;
      } catch (error) {
        const facts = error.problem?.facts ?? {};
        const over = error instanceof Refused && ["WrongState", "UnknownVideo"].includes(error.problem.error);
        if (!over || !facts.video_hash) throw error;
        const video = await this.earlier(facts.video_hash, signal);
        if (video) return { finalized: video };
        const key = await digest(`${this.key}\n${facts.video_hash}`);
        signal.throwIfAborted();
        this.key = key;
        this.video_hash = null;
      }
    }
    throw new Error("This file was sent several times before, and failed each time.");
  }

  // The video that this file became, unless that failed or is gone: then it is sent anew.
  async earlier(hash, signal) {
    try {
      const video = await this.again(() => ask(this.addresses, `/videos/${hash}`, { signal }), signal);
      return video.status === "failed" ? null : video;
    } catch (error) {
      if (error.status === 404) return null;
      throw error;
    }
  }

  async sendAll(ranges, signal) {
    const numbers = ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, n) => first + n));
    this.done = this.file.size - numbers.reduce((sum, number) => sum + this.length(number), 0);
    this.onProgress(this.done, this.file.size, true);
    const lane = async () => {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
        await this.send(number, signal);
        this.done += this.length(number);
        this.onProgress(this.done, this.file.size, false);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  async finalize(signal) {
    for (let round = 1; ; round++) {
      try {
        return await this.again(() => ask(this.addresses, `/videos/finalize/${this.video_hash}`, { method: "POST", signal }), signal);
      } catch (error) {
        if (error.problem?.error !== "ChunksMissing" || round > ROUNDS) throw error;
        await this.sendAll(error.problem.facts.ranges, signal);
      }
    }
  }

  length(number) {
    return Math.min(this.chunkBytes, this.file.size - number * this.chunkBytes);
  }

  async send(number, signal) {
    const begin = number * this.chunkBytes;
    // A copy of these bytes alone: what is read again must not be another file by then.
    const piece = await this.read(this.file.slice(begin, begin + this.length(number)));
    const fields = { chunk: number, total_chunks: this.total, sha256: await digest(piece) };
    if (this.video_hash) fields.video_hash = this.video_hash;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob([piece]), this.file.name);
    const options = { method: "POST", body: form, headers: { ...token(this.addresses), "Idempotency-Key": this.key }, signal };
    return this.again(async () => (await request("The API", `${this.addresses.api}/videos/upload`, options)).json(), signal);
  }

  async read(piece) {
    try {
      return await piece.arrayBuffer();
    } catch {
      throw new Error("The file can no longer be read: was it changed, or moved? Choose it again.");
    }
  }

  // Ask, and ask again while something is away, or when the API says that it was too often.
  async again(attempt, signal) {
    for (let tried = 0; ; ) {
      try {
        const answer = await attempt();
        signal.throwIfAborted();
        this.tell("");
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (tooOften(error)) {
          const wait = error.problem.wait ?? 1;
          this.tell(`The API was asked too often; it goes on in ${wait} s.`);
          await pause(1000 * wait, signal);
        } else if (isAway(error) && tried < PAUSES.length) {
          this.tell(`${error.message.split(". ")[0].replace(/\.$/, "")}. Trying again …`);
          await pause(PAUSES[tried++], signal);
        } else throw error;
      }
    }
  }
}

// A browser may keep nothing for the page; then the first chunk is sent again, which does no harm.
const KEPT = "vidlab-upload-";

function remembered(key) {
  try {
    return localStorage.getItem(KEPT + key);
  } catch {
    return null;
  }
}

function remember(key, hash) {
  try {
    if (hash) localStorage.setItem(KEPT + key, hash);
    else localStorage.removeItem(KEPT + key);
  } catch {
    // as above
  }
}

// SHA-256 in hex, of a text or of bytes.
async function digest(content) {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
