"""A supervisor whose processes are small scripts: real processes, no servers. `StubLab` runs it."""

import sys

from vidlab.lab.spec import PYTHON, Kind
from vidlab.lab.supervisor import main

#: Tells that it is ready, as our own processes do, without importing anything that takes long.
READY = """
import os, pathlib, signal, subprocess, sys, time
run = pathlib.Path(os.environ["VIDLAB_STATE"]) / "run"
def ready(text="stands"):
    draft = run / (os.environ["VIDLAB_PROCESS"] + ".draft")
    draft.write_text(text)
    draft.rename(run / (os.environ["VIDLAB_PROCESS"] + ".ready"))
"""

#: Ends on SIGTERM when the file `finish` is in its state folder: a worker that has a task in hand.
WORK = """
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
ready()
while not (asked and (run / "finish").exists()):
    time.sleep(0.02)
"""

#: Has a child, as a worker has an ffmpeg; both are told by their pids.
FAMILY = """
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
ready(f"child {child.pid}")
child.wait()
"""


def _kind(name: str, code: str, **more: object) -> Kind:
    return Kind(name=name, command=(sys.executable, "-S", "-c", READY + code), **more)  # type: ignore[arg-type]


#: A kind that is forked from the nursery, as ours are.
FORKED = Kind(name="forked", command=(*PYTHON, "tests.unit.stub_module", "an argument"))

KINDS = (
    _kind("base", "ready('answers'); time.sleep(600)", server=True),
    _kind("first", "print('tables are there')", ready="exited", once=True, after=("base",)),
    _kind("worker-360p", WORK, scalable=True, patient=True, grace=0.3, after=("first",)),
    _kind("family", FAMILY, after=("first",)),
    FORKED,
    _kind("crash", "print('ffmpeg: not found'); sys.exit(7)", scalable=True, count=0),
    _kind("stubborn", "signal.signal(signal.SIGTERM, signal.SIG_IGN); ready(); time.sleep(600)", grace=0.3),
    _kind("mute", "time.sleep(600)", count=0),
    _kind("encoder", "ready(); time.sleep(600)", count=0, programs=("ffmpeg",)),
    _kind("redis", "print('address already in use'); sys.exit(1)", count=0, ready="redis", outside="redis_url"),
    _kind("kafka", "print('the stack of a Java program'); sys.exit(1)", count=0),
)

if __name__ == "__main__":
    sys.exit(main(KINDS))
