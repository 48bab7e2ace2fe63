"""What the notebooks stand on: predictions that are kept, exercises that are checked, and a module for each lesson."""

from __future__ import annotations

from vidlab.lessons.exercise import Exercise
from vidlab.lessons.prediction import Prediction, predict

__all__ = ["Exercise", "Prediction", "predict"]
