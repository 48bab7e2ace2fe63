"""What the system costs: the whole pipeline beside bare FFmpeg, and the control plane without an encoder."""
