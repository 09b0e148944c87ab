"""Markets whose right answer is known.

`simulate_bars` makes them: each kind is a rule from draws to a path of bars, together with the
exposure that whoever knows the rule would hold.
"""

from lstm_strategy.bars.simulation.simulate import SimulatedMarket, SimulatedPanel, simulate_bars

__all__ = ["SimulatedMarket", "SimulatedPanel", "simulate_bars"]
