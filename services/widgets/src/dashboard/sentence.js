// What just happened, in one sentence: a pure function of what was known before and what is known now.

import { seconds } from "../common/format.js";
import { FIRST, goesOn, isOpen } from "./lanes.js";

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

// The weightiest thing that changed: { words, weight }, or null when nothing did that is worth a sentence.
export function sentence(before, after) {
  const found = [...lab(before, after), ...processes(before, after), ...videos(before, after)];
  return found.sort((one, other) => other.weight - one.weight)[0] ?? null;
}

// What there is to say when one only just looks.
export function atRest({ videos: known }) {
  const going = known.filter(goesOn);
  if (going.length === 1) return waitsFor(going[0]);
  if (going.length) return `${going.length} videos are on their way.`;
  const last = known.find(({ status }) => status === "completed");
  return last ? `The lab is at rest; ${name(last)} was the last to complete.` : "The lab is at rest: upload a video, and watch it go.";
}

function waitsFor(video) {
  const open = video.profiles.filter(isOpen).map((job) => job.name);
  if (video.status === "processing") return open.length ? `${name(video)}: the master waits for ${list(open)}.` : `${name(video)}: the master is being written.`;
  return video.status === "uploading" ? `${name(video)} is being uploaded.` : `${name(video)} is being preprocessed.`;
}

// -- the lab

function* lab(before, after) {
  for (const server of Object.keys(after.away)) if (!(server in before.away)) yield say(9, `${capital(server)} is away; what needs it waits.`);
  for (const server of Object.keys(before.away)) if (!(server in after.away)) yield say(9, `${capital(server)} is back.`);
  const [old, now] = [before.faults ?? [], after.faults ?? []];
  for (const fault of now) if (!old.some(({ id }) => id === fault.id)) yield say(9, `The fault ${fault.name} has begun${fault.target ? `: ${fault.target}` : ""}.`);
  for (const fault of old) if (!now.some(({ id }) => id === fault.id)) yield say(9, `The fault ${fault.name} is over.`);
}

function* processes(before, after) {
  if (!before.processes || !after.processes) return;
  const old = new Map(before.processes.map((one) => [one.name, one]));
  for (const process of after.processes) {
    const words = changed(old.get(process.name), process);
    if (words) yield say(8, words);
    old.delete(process.name);
  }
  for (const one of old.keys()) yield say(7, `${one} has gone: one less is wanted.`);
}

function changed(was, now) {
  if (!was) return `${now.name} is new: one more is wanted.`;
  if (now.pid && was.pid !== now.pid && now.restarts > was.restarts) return `${now.name} is back with a new pid, ${now.pid}.`;
  if (was.pid && !now.pid && now.state !== "done") return `${now.name} is down${now.note ? `: ${now.note}` : ""}.`;
  if (now.state === "paused" && was.state !== "paused") return `${now.name} is paused: alive, but silent.`;
  if (was.state === "paused" && now.state === "running") return `${now.name} goes on.`;
  return null;
}

// -- videos

function* videos(before, after) {
  const old = new Map(before.videos.map((video) => [video.video_hash, video]));
  for (const video of after.videos) {
    const was = old.get(video.video_hash);
    if (was === video) continue;
    if (!was) yield* arrival(video);
    else yield* [...ends(was, video), ...steps(was, video), ...profiles(was, video)];
  }
}

function* arrival(video) {
  if (goesOn(video)) yield say(3, `${name(video)} is being uploaded.`);
}

function* ends(was, video) {
  if (was.status === video.status) return;
  if (video.status === "completed") yield say(7, `${name(video)} is completed${took(video)}; ${lastOf(video)} was last, and the master is written.`);
  if (video.status === "failed") yield say(8, `${name(video)} failed in ${video.error?.stage ?? "the pipeline"}: ${video.error?.reason ?? "nobody said why"}`);
  if (video.status === "preprocessing" && was.status === "uploading") yield say(4, `${name(video)} has arrived, and waits for preprocessing.`);
  if (video.status === "processing" && goesOn(was)) yield say(6, `${name(video)} is fanned out: one message, read by ${count(video.profiles.length)} groups.`);
}

function* steps(was, video) {
  const [old, now] = [was, video].map(({ steps: jobs }) => jobs.find((job) => job.name === FIRST));
  if (now?.state === "running" && old?.state !== "running") yield say(4, `${now.worker ?? "A worker"} scans, probes and normalises ${name(video)}${again(now)}.`);
}

function* profiles(was, video) {
  const old = new Map(was.profiles.map((job) => [job.name, job]));
  const done = finished(video);
  for (const job of video.profiles) {
    const before = old.get(job.name);
    if (before?.state === job.state && before.attempt === job.attempt) continue;
    if (job.state === "done" && before?.state !== "done") yield say(5 + done.indexOf(job) / 100, finish(video, job, done));
    if (job.state === "failed" && before?.state !== "failed") yield say(7, `${job.name} of ${name(video)} failed: ${job.error ?? "nobody said why"}`);
    if (job.state === "running") yield say(job.attempt > 1 ? 7 : 2, `${job.worker ?? "A worker"} took ${job.name} of ${name(video)}${again(job)}.`);
    if (before?.state === "running" && isOpen(job) && job.state !== "running") yield say(7, `${job.name} of ${name(video)} is free again: its worker is lost, and another will take it.`);
  }
}

function finish(video, job, done) {
  const open = video.profiles.filter(isOpen).map((one) => one.name);
  if (!open.length) return `${job.name} finished last, and so writes the master.`;
  const place = ORDINALS[done.indexOf(job)] ?? `${done.indexOf(job) + 1}th`;
  return `${job.name} finished ${place}; the master waits for ${list(open)}.`;
}

// The profiles that are done, in the order in which they were.
function finished(video) {
  return video.profiles.filter(({ state }) => state === "done").sort((one, other) => (one.finished_at < other.finished_at ? -1 : 1));
}

function lastOf(video) {
  return finished(video).at(-1)?.name ?? "nothing";
}

// -- words

function say(weight, words) {
  return { weight, words };
}

function name({ title, filename }) {
  return `“${title || filename}”`;
}

function again({ attempt }) {
  return attempt > 1 ? `, attempt ${attempt}` : "";
}

function took({ finalized_at: from, ended_at: to }) {
  return from && to ? ` ${seconds((Date.parse(to) - Date.parse(from)) / 1000)} after finalize` : "";
}

function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function count(number) {
  return ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"][number] ?? String(number);
}

function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
