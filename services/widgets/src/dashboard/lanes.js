// The lanes of the flow, found in what the lab tells: a profile that is added to the lab's table shows by itself.

export const FIRST = "preprocessing";
const TOPIC = "video_processing";
const OPEN = ["waiting", "queued", "running"];

// The first lane (preprocessing) and one for each profile or group, with what is in each place now.
// A number that nobody told is null.
export function lanesOf(state) {
  const names = namesOf(state);
  return { first: laneOf(state, FIRST, null), lanes: names.map((name, index) => laneOf(state, name, index)) };
}

function namesOf({ queues, lag, processes, videos }) {
  const found = [
    ...(queues ?? []).map(({ queue }) => stageOf(queue)),
    ...(lag ?? []).map(({ group }) => stageOf(group)),
    ...(processes ?? []).filter(({ kind }) => kind.startsWith("worker-")).map(({ kind }) => kind.slice("worker-".length)),
    ...(videos[0]?.profiles ?? []).map(({ name }) => name),
  ];
  return [...new Set(found)].filter((name) => name !== FIRST);
}

// The stage whose group or queue that is; a group of a lesson's own keeps its name.
export function stageOf(name) {
  if (name === "video_preprocessing") return FIRST;
  return name.startsWith(`${TOPIC}_`) ? name.slice(TOPIC.length + 1) : name;
}

function laneOf({ queues, lag, processes }, name, colour) {
  const queue = queues?.find((one) => stageOf(one.queue) === name);
  return {
    name,
    colour,
    behind: lag?.find((one) => stageOf(one.group) === name)?.messages ?? null,
    waiting: queue?.waiting ?? null,
    running: queue?.running ?? null,
    consumers: processes?.filter(({ kind }) => kind === `consumer-${name}`) ?? null,
    workers: processes?.filter(({ kind }) => kind === `worker-${name}`) ?? null,
  };
}

// A profile's colour, the same in the whole dashboard.
export function colourOf(index) {
  return index === null || index < 0 ? "var(--vl-accent)" : `var(--vl-p${index % 6})`;
}

// Will this job still change?
export function isOpen(job) {
  return OPEN.includes(job.state);
}

// Does this video still go on?
export function goesOn(video) {
  return !["completed", "failed", "deleting"].includes(video.status);
}

// The processes that are there and do something.
export function working(processes) {
  return processes.filter(({ state }) => state === "running" || state === "starting");
}
