// What passes by itself: who is told so asks again later.

import { Silent } from "./control.js";

const AWAY = [502, 503, 504]; // statuses that say: not now
const TOO_OFTEN = 429;

// Is somebody away for now?
export function isAway(error) {
  return error instanceof Silent || AWAY.includes(error.status);
}

// Was the API asked too often, and so did nothing?
export function tooOften(error) {
  return error.status === TOO_OFTEN;
}
