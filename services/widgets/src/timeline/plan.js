// From a video's spans to the bars of its Gantt chart: numbers only, nothing is drawn here.

const LEAD = 0.25; // of the time after finalize: so much of a long upload is shown
const LEAST = 1000; // milliseconds that the axis has at least

// `end`: until when; a span that lasts is drawn up to there. Rows are in the order of the pipeline.
export function plan(video, spans, end) {
  const bars = spans.map((span) => bar(span, end));
  const axis = stretch(video, bars, end);
  return { ...axis, rows: rows(video, bars), finalized: Date.parse(video.finalized_at ?? ""), ended: Date.parse(video.ended_at ?? "") };
}

function bar(span, end) {
  const from = Date.parse(span.started_at);
  const to = span.ended_at ? Date.parse(span.ended_at) : Math.max(from, end);
  const what = span.kind === "queue" ? "queue" : span.parent_id ? "inner" : "work";
  return { ...span, from, to, seconds: (to - from) / 1000, what, open: !span.ended_at };
}

// An upload may have taken hours, with breaks: then only its last part is shown.
function stretch(video, bars, end) {
  const first = Math.min(end, ...bars.map(({ from }) => from));
  const to = Math.max(first + LEAST, Date.parse(video.ended_at ?? "") || 0, ...bars.map((one) => one.to));
  const finalized = Date.parse(video.finalized_at ?? "");
  const after = Math.max(LEAST, to - finalized);
  return { from: finalized - first > after ? finalized - LEAD * after : first, to };
}

function rows(video, bars) {
  const jobs = new Map([...video.steps, ...video.profiles].map((job) => [job.name, job]));
  const names = ["upload", "preprocessing", ...video.profiles.map(({ name }) => name), "master"];
  const others = bars.map(({ stage }) => stage).filter((stage) => !names.includes(stage));
  return [...names, ...new Set(others)].map((stage) => row(stage, jobs.get(stage), bars.filter((one) => one.stage === stage)));
}

function row(stage, job, bars) {
  const attempts = bars.filter(({ what }) => what === "work");
  const workers = [...new Set(attempts.map(({ process }) => process))];
  return {
    stage,
    bars,
    state: job?.state ?? "",
    workers: stage === "upload" ? [] : workers,
    attempts: attempts.length,
    waited: total(bars.filter(({ what }) => what === "queue")),
    worked: total(attempts),
    note: job?.state === "skipped" ? "not needed" : "",
  };
}

function total(bars) {
  return bars.reduce((sum, one) => sum + one.seconds, 0);
}

// Round seconds from the beginning of the axis, some eight of them.
export function ticks(from, to, zero) {
  const wide = (to - from) / 1000;
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600].find((one) => wide / one <= 9) ?? wide / 8;
  const first = Math.ceil((from - zero) / 1000 / step - 1e-9);
  const count = Math.floor((to - zero) / 1000 / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, number) => Number(((first + number) * step).toFixed(3)));
}
