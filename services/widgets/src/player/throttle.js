// A loader of hls.js that is as slow as one wants: what came is handed on when a line of that speed would have brought it.

// `rate()` gives bits a second, or 0 for as fast as it comes; it is asked for each segment.
export function throttled(Loader, rate) {
  return class extends Loader {
    load(context, config, callbacks) {
      const held = (response, stats, ...rest) => this.hold(stats, () => callbacks.onSuccess(response, stats, ...rest));
      super.load(context, config, { ...callbacks, onSuccess: held });
    }

    hold(stats, handOn) {
      const wait = rate() && (8000 * stats.total) / rate() - (stats.loading.end - stats.loading.start);
      if (!(wait > 0)) return handOn();
      this.holding = setTimeout(() => {
        // What is measured, and what decides on the level, is the slow line.
        stats.loading.end = performance.now();
        stats.bwEstimate = rate();
        handOn();
      }, wait);
    }

    abort() {
      clearTimeout(this.holding);
      super.abort();
    }

    destroy() {
      clearTimeout(this.holding);
      super.destroy();
    }
  };
}
