"""The names of closures."""

QUEUE = "closures"
