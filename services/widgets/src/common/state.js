// What is known of the lab, folded from what it told: fold(state, message) gives the next state, and changes nothing.

const MOST_VIDEOS = 200;
const MOST_EVENTS = 200;

// Nothing is known yet. `videos` and `events` have the newest first; `null` means that nobody told.
export const NOTHING = Object.freeze({
  at: null,
  videos: [],
  processes: null,
  queues: null,
  lag: null,
  faults: [],
  events: [],
  away: {},
});

const FOLDS = {
  snapshot: (state, { type, video, ...told }) => ({
    ...NOTHING,
    ...told,
    videos: newestFirst(told.videos ?? (video ? [video] : [])),
    events: merged(state.events, told.events ?? []),
    away: told.away ?? {},
  }),
  video: (state, { video }) => ({
    ...state,
    videos: newestFirst([video, ...state.videos.filter((one) => one.video_hash !== video.video_hash)]),
  }),
  gone: (state, { video_hash }) => ({ ...state, videos: state.videos.filter((one) => one.video_hash !== video_hash) }),
  processes: (state, { processes }) => ({ ...state, processes }),
  queues: (state, { queues }) => ({ ...state, queues }),
  lag: (state, { lag }) => ({ ...state, lag }),
  faults: (state, { faults }) => ({ ...state, faults }),
  event: (state, { event }) => ({ ...state, events: merged(state.events, [event]) }),
  away: (state, { name, why }) => ({ ...state, away: { ...state.away, [name]: why } }),
  back: (state, { name }) => {
    const { [name]: _, ...away } = state.away;
    return { ...state, away };
  },
};

// The state after a message; one of a kind that is not known here changes nothing.
export function fold(state, message) {
  return FOLDS[message.type]?.(state, message) ?? state;
}

function newestFirst(videos) {
  return [...videos].sort((one, other) => (one.created_at < other.created_at ? 1 : -1)).slice(0, MOST_VIDEOS);
}

// Events of both, each once: after a lost connection the snapshot tells again what was told.
function merged(known, told) {
  const all = new Map([...known, ...told].map((event) => [event.id, event]));
  return [...all.values()].sort((one, other) => (one.at < other.at ? 1 : -1)).slice(0, MOST_EVENTS);
}
