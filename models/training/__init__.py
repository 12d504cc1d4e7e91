"""Train, judge and export the detector. Run `python -m models.training --help`.

It measures its corpora with `hackles.listening`, the engine's own first half, and never with a
copy, so that a model is fed in a call what it was trained on.
"""
