"""A telephone system to try hackles with: recordings played as live calls, over the real wires."""
