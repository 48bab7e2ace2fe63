"""The set-up's first step: finds a Python that is new enough, and has it run `environment.py`, beside this file.

Any Python 3 can read this file, so that an old one ends with a sentence and not with a syntax error.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
NAMES = ("python3.12", "python3.11", "python3.13", "python3.14", "python3")

ADVICE = """vidlab: Python {needed} or newer is needed; this is {here}, and no newer one was found.
  Install one, then name it:  make setup PYTHON=/path/to/python3.12
"""


def fits(program: str) -> bool:
    """Is it a Python that will do? It is run: what the search path names may be a shim that leads nowhere."""
    question = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    try:
        answer = subprocess.call([program, "-c", question], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return answer == 0


def main() -> int:
    """Hand over to a Python that will do, or say what is missing."""
    new_enough = sys.executable if sys.version_info >= OLDEST else next(filter(fits, NAMES), None)
    if new_enough is None:
        needed, here = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:3]))
        sys.stderr.write(ADVICE.format(needed=needed, here=here))
        return 1
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "environment.py")
    sys.stdout.flush()
    os.execvp(new_enough, [new_enough, script, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
