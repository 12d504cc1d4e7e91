"""Where events go: so far tables and lines for `score`, and the meter of `demo`."""
