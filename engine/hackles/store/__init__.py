"""The record of live calls: what was heard, what was done about it, and what came of it."""
