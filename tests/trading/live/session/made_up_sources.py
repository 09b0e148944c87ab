"""Sources and accounts that the tests of live sessions make up."""

from lstm_strategy.trading.live import LiveSession, read_journal


class FrameSource:
    """A `BarSource` on a frame: the first bars are history, the others come at once."""

    name = "made up"

    def __init__(self, bars, n_history):
        self.bars, self._n_history = bars, n_history
        self.spacing = bars.index[1] - bars.index[0]
        self.is_closed = False

    def history(self, start=None, end=None, *, n_bars=None):
        return self.bars.iloc[: self._n_history].iloc[-n_bars:]

    def live(self, after=None):
        for time, row in self.bars.loc[after:].iloc[1:].iterrows():
            if self.is_closed:
                return
            yield {"datetime": time, **row, "closed": True}

    def close(self):
        self.is_closed = True


def run_session(strategy, bars, folder, *, n_history=40, n_bars=None, **arguments):
    """The last state of a session on bars of which the first are history."""
    return LiveSession(strategy, FrameSource(bars, n_history), folder, **arguments).run(
        n_bars=n_bars
    )


def what_happened(folder):
    """The tables of a journal that the same bars must lead to, whatever was killed meanwhile."""
    content = read_journal(folder)
    return {
        name: getattr(content, name)
        for name in ("bars", "is_live", "forecasts", "orders", "fills", "accounts")
    }
