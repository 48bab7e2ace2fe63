"""What is run for a process, and the one place of the lab that starts operating-system processes."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vidlab.processes import die_with_parent

log = logging.getLogger(__name__)
