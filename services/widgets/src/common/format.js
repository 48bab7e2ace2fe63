// Numbers for people.

// 0.4 s, 12 s, 3 min 05 s, 2 h 07 min; "" when it is not known.
export function seconds(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  const whole = Math.round(value);
  if (value < 9.95) return `${value.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

// 1:05 of a player's clock.
export function clock(value) {
  const whole = Math.max(0, Math.floor(value || 0));
  return `${Math.floor(whole / 60)}:${pad(whole % 60)}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

// 12 B, 3.4 MiB.
export function bytes(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  let power = 0;
  while (value >= 1024 && power < UNITS.length - 1) [value, power] = [value / 1024, power + 1];
  return `${power && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

// 800 kbit/s, 2.4 Mbit/s.
export function bits(value) {
  if (!Number.isFinite(value) || value <= 0) return "";
  return value < 1e6 ? `${Math.round(value / 1e3)} kbit/s` : `${(value / 1e6).toFixed(value < 1e8 ? 1 : 0)} Mbit/s`;
}

// Of a fraction: 63 %.
export function percent(fraction) {
  return Number.isFinite(fraction) ? `${Math.floor(100 * fraction + 1e-9)} %` : "";
}

function pad(number) {
  return String(number).padStart(2, "0");
}
