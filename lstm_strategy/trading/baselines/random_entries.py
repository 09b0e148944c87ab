"""Random entries: what the costs and the bars alone do to a trader without a view."""

import numpy as np

from lstm_strategy.trading.execution import TargetStrategy

_SECONDS_A_DAY = 86_400


class RandomEntries(TargetStrategy):
    """Long or short by the toss of a coin, thrown again every 20 bars on average.

    Each bar has a generator of its own, made from the seed and the bar's date, so that neither the
    start of the run nor later bars change a toss.

    Args:
        seed: Another seed gives other tosses (7).
        bars_held: Bars between two tosses, on average (20).

    Source:
        The coin-flip entry that Tharp, "Trade Your Way to Financial Freedom" (1998), reports of
        Basso, with random exits in place of stops.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(RandomEntries, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        21
    """

    params = (("seed", 7), ("bars_held", 20))

    def target_exposure(self) -> float:
        """Return 1 or -1: a new toss, or else the last one."""
        seconds = round(self.data.datetime[0] * _SECONDS_A_DAY)
        luck = np.random.default_rng([self.p.seed, seconds])
        is_due = luck.random() * self.p.bars_held < 1.0
        if self.target and not is_due:
            return self.target
        return 1.0 if luck.random() < 0.5 else -1.0
