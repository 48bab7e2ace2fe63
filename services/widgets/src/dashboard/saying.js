// Holds a sentence long enough to be read; what weighs less than what stands there waits for its turn.

const READ = 1800; // milliseconds

export class Saying {
  // `show` is called with the words that are to stand there.
  constructor(show) {
    Object.assign(this, { show, weight: 0, until: 0, next: null, timer: null });
  }

  say({ words, weight }) {
    const left = this.until - performance.now();
    if (left <= 0 || weight >= this.weight) return this.put(words, weight);
    if (this.next && this.next.weight > weight) return;
    this.next = { words, weight };
    this.timer ??= setTimeout(() => this.put(this.next.words, this.next.weight), left);
  }

  put(words, weight) {
    clearTimeout(this.timer);
    Object.assign(this, { weight, until: performance.now() + READ, next: null, timer: null });
    this.show(words);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
