"""Finds and ends what a lab left behind: every process of a lab carries the lab's id in its environment."""

from __future__ import annotations

import os

import psutil

from vidlab.errors import NotALab
from vidlab.lab.folder import Folder
from vidlab.lab.identity import belongs

PATIENCE = 3.0  # seconds in which a killed process must be gone
ROUNDS = 5  # one that no signal ends, stuck in the kernel, must not hold up the command for ever


def leftovers(lab_id: str) -> list[psutil.Process]:
    """All processes of that lab, however they came to be alone; not this one and those that it runs in."""
    asking = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in asking and belongs(process.pid, lab_id)]


def sweep(folder: Folder) -> set[int]:
    """End all that the folder's lab left, and give their pids. New ones that they started meanwhile are found too.

    Raises:
        NotALab: what was found cannot be a lab's, so that nothing of it was ended.
    """
    ended: set[int] = set()
    for _ in range(ROUNDS):
        found = leftovers(folder.lab_id)
        if not found:
            break
        _refuse_others(found, _owners(folder))
        for process in found:
            _kill(process)
        psutil.wait_procs(found, PATIENCE)
        ended |= {process.pid for process in found}
    return ended


def _owners(folder: Folder) -> set[int]:
    return {os.geteuid(), folder.root.stat().st_uid}


def _refuse_others(found: list[psutil.Process], owners: set[int]) -> None:
    """Nobody may lose a process to a mistake in what is found: for root it would be the whole machine."""
    for process in found:
        try:
            user = process.uids().effective
        except psutil.NoSuchProcess:
            continue
        if process.pid == 1 or user not in owners:
            raise NotALab(pid=process.pid, name=process.name(), user=process.username())


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return
