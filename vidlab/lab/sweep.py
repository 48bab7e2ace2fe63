"""Finds and ends what a lab left behind: every process of a lab carries the lab's id in its environment."""

from __future__ import annotations

import os

import psutil

from vidlab.lab.identity import belongs

PATIENCE = 3.0  # seconds in which a killed process must be gone
ROUNDS = 5  # one that no signal ends, stuck in the kernel, must not hold up the command for ever


def leftovers(lab_id: str) -> list[psutil.Process]:
    """All processes of that lab, however they came to be alone; not this one and those that it runs in."""
    asking = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in asking and belongs(process.pid, lab_id)]


def sweep(lab_id: str) -> set[int]:
    """End them all, and give their pids. New ones that they started meanwhile are found too."""
    ended: set[int] = set()
    for _ in range(ROUNDS):
        found = leftovers(lab_id)
        if not found:
            break
        for process in found:
            _kill(process)
        psutil.wait_procs(found, PATIENCE)
        ended |= {process.pid for process in found}
    return ended


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return
