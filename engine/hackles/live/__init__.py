"""The daemon: calls from a telephone system, one bank (or several), events to whoever needs them.

front (asyncio)                          worker (a thread, or a process each)
───────────────                          ────────────────────────────────────
daemon    connections, signals  ──────▶  engine    the tick: intakes ▶ calls ▶ bank
control   POST /calls, consent  orders   calls     which calls there are, who may be heard
metrics, desk ▶ sinks           ◀──────  news
"""
