"""Warn a telephone agent while the customer's irritation is still rising.

The pieces: `hackles.pipeline.CallPipeline` (one call), `hackles.bank.Bank` (many),
`hackles.batch.score` (a recording). Importing this package alone imports nothing else.
"""

__version__ = "0.1.0"
