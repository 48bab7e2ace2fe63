"""The lab: its processes, what starts them, and the words that command line, notebooks and pages say to it."""
