"""What can have gone wrong with a video: a module per kind, a function per rule."""
