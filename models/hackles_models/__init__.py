"""The weights that travel with hackles. Their terms are not the code's: see LICENSE here."""
