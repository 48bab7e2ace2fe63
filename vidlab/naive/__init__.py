"""Code that is wrong on purpose: it runs against the lab's real servers, and the notebooks measure how it fails."""
