"""What the widget Upload sends, worked out in Node: a run that was paused sends nothing more."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from vidlab.programs import find
from vidlab.settings import Settings

SCRIPT = Path(__file__).parents[2] / "services" / "widgets" / "src" / "upload" / "sending.js"

#: Eight chunks. The API takes each at once; what is read of the file is held up until it is let go.
PAUSED_AND_RESUMED = """
import { Sending } from "%s";
const [sent, got, held] = [[], new Set(), []];
const missing = () => Array.from({ length: 8 }, (_, n) => n).filter((n) => !got.has(n)).map((n) => [n, n]);
globalThis.localStorage = { getItem: () => null, setItem() {}, removeItem() {} };
globalThis.fetch = async (url, { body, signal }) => {
  signal.throwIfAborted();
  const chunk = body instanceof FormData ? Number(body.get("chunk")) : null;
  if (chunk !== null) [sent.push(chunk), got.add(chunk)];
  const answer = { video_hash: "a", status: "uploading", total_chunks: 8, missing: missing() };
  return { ok: true, status: 200, headers: new Map(), json: async () => answer };
};
const file = new File([new Uint8Array(8)], "f.mp4", { lastModified: 1 });
file.slice = () => ({
  arrayBuffer: () => new Promise((resolve) => held.push(() => resolve(new ArrayBuffer(1)))),
});
const until = async (met) => { while (!met()) await new Promise((resolve) => setTimeout(resolve, 1)); };
const sending = new Sending(() => ({ api: "http://x" }), file, 1);
const run = () => {
  const aborting = new AbortController();
  return [aborting, sending.run(aborting.signal, () => {}, () => {}).catch((error) => error.name)];
};
const [first, paused] = run();
await until(() => held.length === 1);
held.shift()();
await until(() => held.length === 3);
first.abort();
const [, resumed] = run();
await until(() => held.length === 6);
const waiting = held.splice(0);
file.slice = () => ({ arrayBuffer: async () => new ArrayBuffer(1) });
for (const read of waiting) read();
await resumed;
process.stdout.write(JSON.stringify([await paused, sent.sort()]));
"""


def test_what_was_paused_sends_nothing_more_beside_what_goes_on() -> None:
    script = PAUSED_AND_RESUMED % SCRIPT.as_uri()
    node = [str(find("node", Settings()).path), "--input-type=module", "-e", script]
    done = subprocess.run(node, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["AbortError", list(range(8))]
