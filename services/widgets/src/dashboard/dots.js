// Where each video is: a dot on its way to the fan-out, then one for each profile, which comes home to the master.

import { FIRST, goesOn } from "./lanes.js";

const MOST = 24; // videos that are drawn as dots; the numbers count all
const ENDED = 2; // videos that have ended and are still shown at the master

// The stops of the way; a dot that skips some is drawn through them.
export const STOPS = ["api", "topic0", "group0", "queue0", "worker0", "topic", "group", "queue", "worker", "master"];

const KAFKA = { waiting: "group", queued: "queue", running: "worker", done: "master", failed: "master" };

// The videos that have a row at the master: some that have ended, then those that go on, oldest first.
export function rowsOf(state, room) {
  const fanned = state.videos.filter(({ status }) => ["processing", "completed", "failed"].includes(status));
  const going = fanned.filter(goesOn).reverse();
  const ended = fanned.filter((video) => !goesOn(video) && video.profiles.length).sort(lastEnded);
  const kept = ended.slice(0, Math.max(ENDED, room - going.length)).reverse();
  return [...kept, ...going].slice(0, room);
}

function lastEnded(one, other) {
  return (one.ended_at ?? "") < (other.ended_at ?? "") ? 1 : -1;
}

// All dots: { id, parent, video, lane, stop, progress, failed }. `parent` is the dot that it comes from.
export function dotsOf(state, rows) {
  const going = state.videos.filter(goesOn).reverse().slice(0, MOST);
  const shown = [...new Set([...rows, ...going])];
  return shown.flatMap((video) => (video.status === "uploading" || video.status === "preprocessing" ? [single(video)] : fanned(video)));
}

function single(video) {
  const job = video.steps.find(({ name }) => name === FIRST);
  const stop = video.status === "uploading" ? "api" : ({ queued: "queue0", running: "worker0" }[job?.state] ?? "topic0");
  return { id: video.video_hash, parent: null, video, lane: FIRST, stop, progress: job?.progress ?? 0, failed: false };
}

function fanned(video) {
  return video.profiles
    .filter(({ state }) => KAFKA[state])
    .map((job) => ({
      id: `${video.video_hash}/${job.name}`,
      parent: video.video_hash,
      video,
      lane: job.name,
      stop: KAFKA[job.state],
      progress: job.progress,
      failed: job.state === "failed",
    }));
}
