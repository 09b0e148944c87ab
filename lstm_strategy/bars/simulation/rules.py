"""The rules of simulated markets: each kind is a function from draws to a path of bars.

Row t of the draws is all that chance adds at bar t: no bar and no oracle can know of later rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from lstm_strategy.errors import BarsError

_PREMIUM_MEMORY = 0.5 ** (1 / 8)  # of the premium an hour later, so that half is left after eight
_INTEREST = 0.0001  # every eight hours
_CLAMP = 0.0005
_USUAL_OPEN_INTEREST = 5_000_000.0
_RUSH_OF_INTEREST = 0.1
_INTEREST_MEMORY = 0.99


@dataclass(frozen=True)
class Draws:
    """What chance decides: row t holds all that is new at bar t.

    Attributes:
        shock: Standard normal, shape (n_bars,), behind the return.
        volume_shock: Standard normal, shape (n_bars,), behind the volume.
        wicks: Standard normal, shape (n_bars, 2), behind high and low.
        chance: Uniform on 0…1, shape (n_bars, 2), behind what happens within a bar.
        state_shock: `shock` of whatever the memory comes from: of the market itself, or one that
            all markets of a panel share.
        state_chance: `chance` of the same, behind hidden events and states.
        extra_shocks: Standard normal, shape (n_bars, 3), behind extra columns.
    """

    shock: np.ndarray
    volume_shock: np.ndarray
    wicks: np.ndarray
    chance: np.ndarray
    state_shock: np.ndarray
    state_chance: np.ndarray
    extra_shocks: np.ndarray

    @classmethod
    def from_seed(cls, n_bars: int, seed: int | Sequence[int]) -> Self:
        """Draw row by row, so that more bars never change the first ones."""
        normal_stream, uniform_stream, extra_stream = np.random.default_rng(seed).spawn(3)
        normal = normal_stream.standard_normal((n_bars, 4))
        shock, chance = normal[:, 0], uniform_stream.random((n_bars, 2))
        extra_shocks = extra_stream.standard_normal((n_bars, 3))
        return cls(shock, normal[:, 1], normal[:, 2:], chance, shock, chance, extra_shocks)

    def share_state_of(self, other: Self) -> Self:
        """The same draws, with the memory of other ones."""
        return replace(self, state_shock=other.shock, state_chance=other.chance)


@dataclass(frozen=True)
class Path:
    """What a rule makes of the draws: columns of shape (n_bars,).

    Attributes:
        log_return: The log return of each close on the close before.
        relative_volume: The volume of each bar as a factor of the usual one.
        oracle: The exposure to hold over the next bar, known at the close of its row.
        variance: The variance of the next log return, known at the close of its row; None where
            the rule is about the sign of returns.
        reach: How far the log price rises above the open and falls below it within the bar, shape
            (n_bars, 2); None where the rule says nothing of it.
        price_factors: Extra columns of prices, each as a factor of the close.
        extras: Other extra columns.
        is_hourly: Whether there is a bar every hour in UTC, instead of one each business day.
    """

    log_return: np.ndarray
    relative_volume: np.ndarray
    oracle: np.ndarray
    variance: np.ndarray | None = None
    reach: np.ndarray | None = None
    price_factors: Mapping[str, np.ndarray] = field(default_factory=dict)
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    is_hourly: bool = False


def remembered_news(
    draws: Draws,
    *,
    p_news: float = 0.04,
    strength: float = 0.3,
    jump: float = 2.5,
    vol: float = 0.01,
    busy_factor: float = 1.5,
    news_factor: float = 6.0,
    volume_noise: float = 0.1,
) -> Path:
    """News decides, until the next news, whether busy bars are followed by rises or by falls.

    At bar t, `busy` is ±1 with equal chance. With probability `p_news` there is news: the
    log return is ±`jump`·`vol`, and its sign becomes the `state`. Otherwise the log return
    is `vol`·(z + `strength`·drift), z standard normal, where drift is state·busy *of bar
    t−1*. The volume is the usual one times `busy_factor`^busy, times `news_factor` on news,
    with lognormal noise of `volume_noise`: busy and news can be read off it.

    The oracle is state·busy; it is 0 before the first news, when there is no drift. Neither past
    returns nor volumes are correlated with the next return. The last bar says nothing by itself
    unless it is a news bar, and then only of the one bar after it: whoever forgets the news
    earns nothing on the other bars. With p and s for `p_news` and `strength`, and in units of
    `vol`, the oracle's return a bar has

        mean (1−p)·s,  mean square (1−p)·(1+s²) + p·jump²,

    so by default a Sharpe ratio of 0.288/1.102 = 0.261 a bar, and its sign is right in
    (1−p)·Φ(s) + p/2 = 61.3% of bars.

    The markets of a panel share their news, and with it the state; each is busy by itself.
    """
    is_news = draws.state_chance[:, 0] < p_news
    busy = np.where(draws.chance[:, 1] < 0.5, 1.0, -1.0)
    direction = np.sign(draws.state_shock)
    state = _latest_value(is_news, direction)
    oracle = state * busy + 0.0  # no negative zeros before the first news
    drift = np.append(0.0, oracle[:-1])  # what was known at the close before
    usual_return = draws.shock + strength * drift
    volume = busy_factor**busy * np.where(is_news, news_factor, 1.0)
    return Path(
        log_return=vol * np.where(is_news, jump * direction, usual_return),
        relative_volume=volume * np.exp(volume_noise * draws.volume_shock),
        oracle=oracle,
    )


def regimes(
    draws: Draws,
    *,
    strength: float = 0.2,
    mean_drift_bars: float = 60.0,
    mean_vol_bars: float = 40.0,
    vol: float = 0.01,
    wild_factor: float = 3.0,
    volume_noise: float = 0.1,
) -> Path:
    """A drift, up or down, and a volatility, calm or wild, that change independently.

    At the start of each bar the drift turns with probability 1/`mean_drift_bars` and the
    volatility with 1/`mean_vol_bars`, so that these are the mean durations; both begin in
    either state with equal chance. The log return is `vol`·(±`strength` + factor·z), z
    standard normal, factor 1 when calm and `wild_factor` when wild. Volume is noise.

    The oracle is the sign of the drift at its row, which is that of the drift to expect at the
    next bar since a state lasts three bars or more on average. It earns
    `vol`·`strength`·(1−2/`mean_drift_bars`) a bar.

    The markets of a panel share drift and volatility.
    """
    drift = _two_state_chain(draws.state_chance[:, 0], mean_bars=mean_drift_bars)
    is_wild = _two_state_chain(draws.state_chance[:, 1], mean_bars=mean_vol_bars) > 0
    shock = np.where(is_wild, wild_factor, 1.0) * draws.shock
    return Path(
        log_return=vol * (strength * drift + shock),
        relative_volume=np.exp(volume_noise * draws.volume_shock),
        oracle=drift,
    )


def garch(
    draws: Draws,
    *,
    vol: float = 0.01,
    alpha: float = 0.1,
    beta: float = 0.88,
    volume_noise: float = 0.1,
) -> Path:
    """Volatility that clusters, without a drift: the size of returns can be forecast, no sign.

    The shocks are e = √h·z, z standard normal, with the variance h = ω + `alpha`·e² + `beta`·h of
    the bar before. ω makes `vol` the unconditional standard deviation, from which the first bar
    starts. The log return is e − h/2, so that the simple return to expect is exactly 0, and so is
    the oracle.

    Within a bar the log price is a Brownian motion of variance h, whose high and low are drawn by
    their distributions given the close, but independently of each other: Rogers and Satchell's
    estimator is right on average, that of Parkinson 3% and of Garman and Klass 4% too high.

    The markets of a panel share the variance, which follows shocks that none of them shows.

    Source:
        GARCH(1,1) of Bollerslev (1986), section 3.

    Raises:
        BarsError: If `alpha` + `beta` isn't below 1.
    """
    if alpha + beta >= 1:
        raise BarsError(
            f"alpha + beta must be below 1, got {alpha} + {beta}. "
            "Lower one of them: otherwise volatility grows without end."
        )
    omega = vol**2 * (1 - alpha - beta)
    variance, variances = vol**2, []
    for squared_shock in np.square(draws.state_shock).tolist():
        variances.append(variance)
        variance = omega + (alpha * squared_shock + beta) * variance
    h = np.array(variances)
    log_return = np.sqrt(h) * draws.shock - h / 2
    return Path(
        log_return=log_return,
        relative_volume=np.exp(volume_noise * draws.volume_shock),
        oracle=np.zeros(len(h)),
        variance=np.append(h[1:], variance),
        reach=_bridge_reach(log_return, h, draws.chance),
    )


def noise(draws: Draws, *, vol: float = 0.01, volume_noise: float = 0.1) -> Path:
    """A random walk: nothing can be forecast, so the oracle stays out.

    The log return is `vol`·z − `vol`²/2, z standard normal: the simple return to expect is
    exactly 0. Volume is noise. The markets of a panel share nothing.
    """
    return Path(
        log_return=vol * draws.shock - vol**2 / 2,
        relative_volume=np.exp(volume_noise * draws.volume_shock),
        oracle=np.zeros(len(draws.shock)),
        variance=np.full(len(draws.shock), vol**2),
    )


def perpetual(
    draws: Draws,
    *,
    strength: float = 0.042,
    mean_rush_bars: float = 120.0,
    delay_bars: float = 24.0,
    rush: float = 0.002,
    premium_noise: float = 0.0002,
    funding_bars: float = 8.0,
    vol: float = 0.007,
    volume_noise: float = 0.3,
) -> Path:
    """A perpetual future, hour by hour, whose crowds pay for it days later.

    With probability 1/`mean_rush_bars` an hour there is a rush: a crowd buys or sells, with equal
    chance, and lifts or lowers the premium of the perpetual over spot by `rush`, of which half is
    gone eight hours later. Beside it the premium moves around 0 by a noise of `premium_noise` with
    the same memory. Open interest rises with every rush, whichever side it is on.

    Funding settles every `funding_bars` hours, at the open of its row, from the mean premium p of
    the hours since the last settlement, as exchanges do it: p + clamp(i - p, ±0.05%), with an
    interest i of 0.01% for eight hours. So the rate is i while the premium is usual.

    From `delay_bars` hours after a rush on, until as long after the next one, the price drifts
    against the crowd: the log return is `vol`·(z - `strength`·side), z standard normal and side +1
    after buyers rushed. The mark price is the close but for a noise of a basis point.

    The oracle is -side, 0 before the first rush has worked. When it starts to pay, premium and
    funding are back to what is usual: whoever forgets them earns nothing. Prices, volume and open
    interest tell nothing of the side. With 24·365 hours a year the oracle's Sharpe ratio is
    `strength`·√8760 before costs, by default 3.9. Costs of 5 basis points a side and the funding
    take 0.05 of it.

    The markets of a panel share their rushes.

    Source:
        The rate's formula is that of Binance's "Introduction to Binance Futures Funding Rates".

    Raises:
        BarsError: If `funding_bars` or `delay_bars` isn't a whole number.
    """
    interval = _whole("funding_bars", funding_bars)
    delay = _whole("delay_bars", delay_bars)
    is_rush = draws.state_chance[:, 0] < 1 / mean_rush_bars
    side = np.where(draws.state_chance[:, 1] < 0.5, 1.0, -1.0)
    noise_scale = premium_noise * np.sqrt(1 - _PREMIUM_MEMORY**2)
    premium = _decaying_sum(
        np.where(is_rush, rush * side, 0.0) + noise_scale * draws.extra_shocks[:, 0],
        _PREMIUM_MEMORY,
    )
    crowd = _latest_value(is_rush, side)
    n_bars, wait = len(crowd), delay - 1
    oracle = -np.append(np.zeros(wait), crowd)[:n_bars] + 0.0  # no negative zeros
    drift = np.append(0.0, oracle[:-1])  # what was known at the close before
    interest = _decaying_sum(
        np.where(is_rush, _RUSH_OF_INTEREST, 0.0) + 0.005 * draws.extra_shocks[:, 1],
        _INTEREST_MEMORY,
    )
    return Path(
        log_return=vol * (draws.shock + strength * drift),
        relative_volume=np.exp(volume_noise * draws.volume_shock),
        oracle=oracle,
        price_factors={
            "mark": np.exp(1e-4 * draws.extra_shocks[:, 2]),
            "spot_close": np.exp(-premium),
        },
        extras={
            "funding_rate": _funding_rates(premium, interval),
            "open_interest": _USUAL_OPEN_INTEREST * np.exp(interest),
        },
        is_hourly=True,
    )


KINDS: dict[str, Callable[..., Path]] = {
    "remembered_news": remembered_news,
    "regimes": regimes,
    "garch": garch,
    "noise": noise,
    "perpetual": perpetual,
}


def _whole(name: str, value: float) -> int:
    if value != int(value):
        raise BarsError(f"{name} must be a whole number, got {value:g}. Round it.")
    return int(value)


def _decaying_sum(news: np.ndarray, memory: float) -> np.ndarray:
    """Each value is `memory` of the one before, and what is new."""
    level, levels = 0.0, []
    for new in news.tolist():
        level = memory * level + new
        levels.append(level)
    return np.array(levels)


def _funding_rates(premium: np.ndarray, interval: int) -> np.ndarray:
    """The rate on each settlement row, of the premium of the rows since the last; else NaN."""
    rates = np.full(len(premium), np.nan)
    rows = np.arange(interval, len(premium), interval)
    mean = premium[: len(rows) * interval].reshape(-1, interval).mean(axis=1)
    interest = _INTEREST * interval / 8
    rates[rows] = mean + np.clip(interest - mean, -_CLAMP, _CLAMP)
    return rates


def _bridge_reach(log_return: np.ndarray, variance: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """How far a Brownian motion that ends at `log_return` rises and falls, shape (n_bars, 2).

    Source:
        P(maximum > y) = exp(-2y(y - r)/variance) for y above 0 and the end r: the reflection
        principle. Solved for y, with `chance` for the probability.
    """
    squares = log_return[:, None] ** 2 - 2.0 * variance[:, None] * np.log1p(-chance)
    reach: np.ndarray = (np.sqrt(squares) + log_return[:, None] * [1.0, -1.0]) / 2.0
    return reach


def _latest_value(is_event: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The value at the latest event, that of the row included; 0 before the first."""
    latest = np.maximum.accumulate(np.where(is_event, np.arange(len(value)), -1))
    return np.where(latest >= 0, value[latest], 0.0)


def _two_state_chain(chance: np.ndarray, *, mean_bars: float) -> np.ndarray:
    """A Markov chain of ±1 that keeps its state for `mean_bars` on average."""
    turns = chance < 1 / mean_bars
    turns[0] = chance[0] < 0.5
    return np.where(np.cumsum(turns) % 2, -1.0, 1.0)
