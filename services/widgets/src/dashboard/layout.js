// Where everything stands in the picture of the flow, for a width and a number of lanes. In pixels: letters keep their size.

const CAPTION = 20;
const EDGE = 1; // for half a frame's stroke
const FRONT = { top: CAPTION, height: 32 };
const PITCH = 32; // from lane to lane
const BOX = 24; // a lane's height
const BETWEEN = 26; // for the arrow that goes from the first worker to the second topic
const ROW = 20; // of a video at the master

// Boxes by stop, and by stop and lane ("group/360p"); `height` of all; `rows`: how many videos have room at the master.
export function layout(width, names) {
  const gap = Math.max(26, Math.min(60, width * 0.04));
  const wide = (width - 2 * EDGE - 4 * gap) / 5;
  const x = (column) => EDGE + column * (wide + gap);
  const top = FRONT.top + FRONT.height + BETWEEN + CAPTION;
  const tall = Math.max(1, names.length) * PITCH - (PITCH - BOX);
  const boxes = {};
  ["api", "topic0", "group0", "queue0", "worker0"].forEach((stop, column) => {
    boxes[stop] = { x: x(column), y: FRONT.top, w: wide, h: FRONT.height };
  });
  boxes.topic = { x: x(0), y: top, w: wide, h: tall };
  boxes.master = { x: x(4), y: top, w: wide, h: tall };
  ["group", "queue", "worker"].forEach((stop, column) => {
    names.forEach((name, index) => {
      boxes[`${stop}/${name}`] = { x: x(column + 1), y: top + index * PITCH, w: wide, h: BOX };
    });
  });
  return { width, gap, boxes, turn: FRONT.top + FRONT.height + BETWEEN / 2 + 2, height: top + tall + 2, rows: Math.max(1, Math.floor((tall - 8) / ROW)) };
}

// The box of a stop, on that lane where the stop has one for each.
export function boxOf(plan, stop, lane) {
  return plan.boxes[stop] ?? plan.boxes[`${stop}/${lane}`] ?? null;
}

// Where the n-th dot of a box stands; null when it has no room: the number says that there are more.
export function seat(plan, stop, lane, number) {
  const box = boxOf(plan, stop, lane);
  if (!box) return null;
  const left = stop === "group" ? 78 : 12;
  const seats = Math.floor((box.w - left - 44) / 12) + 1;
  return number < Math.max(1, seats) ? { x: box.x + left + number * 12, y: box.y + box.h / 2 } : null;
}

// Where a profile's dot stands in a video's row at the master.
export function home(plan, row, index, count) {
  const { x, y, w } = plan.boxes.master;
  const step = Math.min(15, (w - 62) / Math.max(1, count));
  return { x: x + 14 + index * step, y: y + 4 + row * ROW + ROW / 2 };
}
