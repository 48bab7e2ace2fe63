"""VidLab: a distributed video pipeline that a person starts, watches, breaks and scales."""

__version__ = "0.1.0"
