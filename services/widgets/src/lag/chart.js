// Draws the history: messages above, seconds below, on one axis of time, with a line where something was done.

import { colour } from "../common/plotly.js";

const HEIGHT = 380; // pixels
const ROW = 13; // pixels between the rows of labels
const ROWS = 4; // so that labels that are near each other can be read
const LETTER = 5.8; // pixels, about
const MARGIN = { l: 48, r: 12, t: ROWS * ROW + 8, b: 28 }; // pixels
const LEAST = 30_000; // milliseconds that are shown while less is known

const BAD = new Set(["fault", "killed", "exited"]);

// Of each group by its place in the pipeline; what comes before the profiles has none of theirs.
export const COLOURS = ["--vl-dim", "--vl-p0", "--vl-p1", "--vl-p2", "--vl-p3", "--vl-p4", "--vl-p5"];

export const OPTIONS = { displayModeBar: false, responsive: true };

// `window`: milliseconds that are shown once so much is known; `width`: of the chart, in pixels.
export function figure(element, history, now, window) {
  const paint = (name) => colour(element, name);
  const since = Math.max(now - window, Math.min(history.begin, now - LEAST));
  return { data: traces(history, since, paint), layout: layout(history, since, now, element.clientWidth, paint) };
}

function traces(history, since, paint) {
  const groups = [...history.groups];
  return ["messages", "seconds"].flatMap((what, chart) =>
    groups.map(([group, points], number) => {
      const shown = points.filter(({ at }) => at >= since);
      return {
        type: "scatter",
        mode: "lines",
        name: group,
        legendgroup: group,
        x: shown.map(({ at }) => local(at)),
        y: shown.map((point) => point[what]),
        yaxis: chart ? "y2" : "y",
        line: { color: paint(COLOURS[number % COLOURS.length]), width: 2, shape: what === "messages" ? "hv" : "linear" },
        hovertemplate: `${group}: %{y:.4~g} ${what}<extra></extra>`,
      };
    }),
  );
}

function layout(history, since, now, width, paint) {
  const [fg, dim, line, bg] = ["--vl-fg", "--vl-dim", "--vl-line", "--vl-raised"].map(paint);
  const axis = { color: dim, gridcolor: line, zeroline: false, linecolor: line, fixedrange: true };
  const upward = (what, least, domain) => ({ ...axis, domain, range: [0, Math.max(least, 1.1 * most(history, what, since))], title: { text: what, font: { size: 11 } }, nticks: 5 });
  const marks = history.marks(since);
  return {
    height: HEIGHT,
    margin: MARGIN,
    showlegend: false,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: fg, size: 11 },
    hovermode: "x unified",
    hoverlabel: { bgcolor: bg, bordercolor: line, font: { color: fg } },
    xaxis: { ...axis, type: "date", range: [local(since), local(now)], anchor: "y2", tickformat: "%H:%M:%S", nticks: 7, hoverformat: "%H:%M:%S" },
    yaxis: upward("messages", 4, [0.54, 1]),
    yaxis2: upward("seconds", 4, [0, 0.46]),
    shapes: marks.map((mark) => vertical(mark, paint)),
    annotations: labels(marks, since, now, width - MARGIN.l - MARGIN.r, paint),
  };
}

function most(history, what, since) {
  const shown = [...history.groups.values()].flat().filter(({ at }) => at >= since);
  return Math.max(0, ...shown.map((point) => point[what] ?? 0));
}

function vertical({ at, kind }, paint) {
  const color = paint(BAD.has(kind) ? "--vl-bad" : "--vl-dim");
  return { type: "line", xref: "x", yref: "paper", x0: local(at), x1: local(at), y0: 0, y1: 1, line: { color, width: 1, dash: "dot" } };
}

// Each label in the lowest row that has room, the newest first; where there is none the line stands alone.
function labels(marks, since, now, width, paint) {
  const rows = Array.from({ length: ROWS }, () => Infinity); // where the leftmost label of each begins, in pixels
  const placed = [...marks].reverse().map((mark) => {
    const [at, long] = [(width * (mark.at - since)) / (now - since), LETTER * mark.words.length];
    const left = at < long; // there is no room on the left of the line
    const row = rows.findIndex((taken) => (left ? at + long : at) <= taken);
    if (row >= 0) rows[row] = (left ? at : at - long) - LETTER;
    return row < 0 ? null : label(mark, row, left ? "left" : "right", paint);
  });
  return placed.filter(Boolean).reverse();
}

function label({ at, kind, words }, row, xanchor, paint) {
  const color = paint(BAD.has(kind) ? "--vl-bad" : "--vl-fg");
  const place = { x: local(at), xref: "x", y: 1, yref: "paper", yanchor: "bottom", yshift: ROW * row, xanchor };
  return { ...place, text: escaped(words), showarrow: false, font: { size: 10, color } };
}

// Plotly shows times as those of UTC; people read their own clock.
function local(at) {
  return at - 60_000 * new Date(at).getTimezoneOffset();
}

// Plotly takes some HTML in its texts.
function escaped(words) {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
