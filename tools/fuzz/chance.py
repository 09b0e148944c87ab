"""What decides how a file is damaged."""

import random


class ChosenNumbers(random.Random):
    """Random numbers that somebody else has chosen.

    Args:
        data: The bytes that they are made of; once those are used up, they decide what follows.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._data, self._place = data, 0

    def getrandbits(self, k: int) -> int:
        """Return a number of so many bits."""
        n_bytes = (k + 7) // 8
        taken = self._data[self._place : self._place + n_bytes]
        self._place += n_bytes
        if len(taken) < n_bytes:
            return super().getrandbits(k)
        return int.from_bytes(taken, "little") >> (8 * n_bytes - k)

    def random(self) -> float:
        """Return a number from 0 to 1, of 32 bits: few bytes then choose much."""
        return self.getrandbits(32) / 2**32
