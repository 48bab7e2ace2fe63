"""The HTTP API. Its endpoints only translate: what they do stands in `vidlab.pipeline` and `vidlab.store`."""
