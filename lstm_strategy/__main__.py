"""`python -m lstm_strategy` is the command `lstm-strategy`, and imports nothing of the user's.

Python looks in the working folder first, where a `signal.py` or `random.py` would take the place of
its own. It must go on looking there if this package itself was found there.
"""

import os
import sys
from contextlib import suppress

import lstm_strategy

with suppress(OSError):  # the working folder was deleted
    folder = os.getcwd()  # noqa: PTH109  # pathlib would import what may be the user's
    if sys.path[0] == folder and f"{folder}{os.sep}lstm_strategy" not in lstm_strategy.__path__:
        del sys.path[0]

from lstm_strategy.cli import main

main()
