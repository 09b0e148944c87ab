"""Damaged files for every reader, by the thousand: `python -m tools.fuzz --inputs 10000`.

`readers` has a valid file of each kind and how it is read, `mutations` damages it, `guard` watches
what the reading does, its errors, time and memory and what it opens or runs, and `run` counts.
`chance` lets somebody else choose the damage, as `tools.guided_fuzz` does.
"""

from tools.fuzz.chance import ChosenNumbers
from tools.fuzz.guard import Guard
from tools.fuzz.readers import FAST, READERS
from tools.fuzz.run import Outcome, open_trial, try_inputs

__all__ = ["ChosenNumbers", "FAST", "Guard", "Outcome", "READERS", "open_trial", "try_inputs"]
