"""One video's way, a module per stage, in the order of `STAGES`: read them top to bottom."""

#: upload -> preprocess -> fanout -> transcode -> complete -> play; `work` is what the worked ones have in common.
STAGES = ("upload", "preprocess", "fanout", "transcode", "complete", "play")
