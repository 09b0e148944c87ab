"""backtrader's chart without a screen: what it draws, its dates, and what can't be drawn."""

from datetime import date

import backtrader as bt
import matplotlib
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.chart import plot_chart
from lstm_strategy.evaluation.plots import STRONG_COLORS
from lstm_strategy.trading.execution import TargetStrategy


class BuyOnce(bt.Strategy):
    """Buys at the second bar, with an average in the price panel and one below it."""

    params = (("period", 3),)

    def __init__(self):
        super().__init__()
        self.average = bt.ind.SMA(period=self.p.period)
        self.momentum = bt.ind.Momentum(period=self.p.period)

    def next(self):
        if not self.position:
            self.buy()


class Hold(TargetStrategy):
    params = (("model", None),)

    def target_exposure(self):
        return 1.0


def forecaster_trained_until(moment):
    forecaster = ConstantForecaster(1.0)
    forecaster.training_end = moment
    return forecaster


def frame_of_bars(n_bars=30, *, freq="D", volume=1000.0):
    close = 100.0 + np.arange(n_bars)
    return pd.DataFrame(
        {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": volume},
        index=pd.date_range("2020-01-01", periods=n_bars, freq=freq, name="datetime"),
    )


def cerebro_after_run(bars, *strategies, timeframe=bt.TimeFrame.Days, **options):
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=bars, name="TEST", timeframe=timeframe))
    for strategy in strategies or (BuyOnce,):
        cerebro.addstrategy(strategy)
    cerebro.run(**options)
    return cerebro


def closes_drawn(figure):
    """The y values of the line that is labelled with the feed's name."""
    lines = [line for ax in figure.axes for line in ax.get_lines()]
    return next(line for line in lines if line.get_label().startswith("TEST")).get_ydata()


def legend_texts(figure):
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def order_marks(figure):
    """The marks of buying and of selling in the panel of the prices."""
    for ax in figure.axes:
        lines = ax.get_lines()
        for place, line in enumerate(lines):
            if str(line.get_label()).startswith("BuySell"):
                return lines[place : place + 2]
    raise AssertionError("no orders are drawn")


class InAndOut(bt.Strategy):
    """Buys one unit, another two bars later, and sells both two bars after that."""

    def next(self):
        size = {5: 1, 7: 1, 9: -2}.get(len(self), 0)
        if size:
            (self.buy if size > 0 else self.sell)(size=abs(size))


def date_labels(figure):
    figure.canvas.draw()
    texts = [
        text.get_text()
        for ax in figure.axes
        for text in ax.get_xticklabels()
        if text.get_visible() and ax.xaxis.get_tick_params()["labelbottom"]
    ]
    return [text for text in texts if text]


def test_the_chart_draws_every_close_of_the_run():
    figure = plot_chart(cerebro_after_run(frame_of_bars()))
    assert list(closes_drawn(figure)) == frame_of_bars()["close"].to_list()


def test_the_strategys_indicators_and_orders_are_in_the_legends():
    figure = plot_chart(cerebro_after_run(frame_of_bars()))
    texts = " ".join(legend_texts(figure))
    for expected in ["TEST", "Volume", "SMA (3)", "Momentum (3)", "buy", "sell", "cash"]:
        assert expected in texts


def test_the_cash_of_a_flat_account_does_not_hide_its_value():
    figure = plot_chart(cerebro_after_run(frame_of_bars()))
    lines = [line for ax in figure.axes for line in ax.get_lines()]
    cash, value = (
        next(line for line in lines if line.get_label().rpartition("\n")[2].startswith(name))
        for name in ("cash", "value")
    )
    assert (cash.get_linestyle(), value.get_linestyle()) == ("--", "-")
    assert cash.get_zorder() > value.get_zorder()


def test_dates_stand_below_the_lowest_panel():
    labels = date_labels(plot_chart(cerebro_after_run(frame_of_bars())))
    assert labels[0] == "2020-01-01"
    assert len(labels) == len(set(labels)) >= 4


def test_intraday_labels_carry_the_time_of_day():
    hourly = frame_of_bars(freq="h")
    figure = plot_chart(cerebro_after_run(hourly, timeframe=bt.TimeFrame.Minutes))
    assert date_labels(figure)[0] == "2020-01-01 00:00"


def test_a_long_run_is_cut_to_its_last_bars_and_says_so():
    figure = plot_chart(cerebro_after_run(frame_of_bars()), last_bars=10)
    assert len(closes_drawn(figure)) == 10
    title = "BuyOnce, 2020-01-21 to 2020-01-30 (10 of the run's 30 bars)"
    assert figure.get_suptitle() == title


def test_a_chart_never_draws_more_bars_than_can_be_seen():
    cerebro = cerebro_after_run(frame_of_bars(5_010, freq="h"), timeframe=bt.TimeFrame.Minutes)
    figure = plot_chart(cerebro, last_bars=1_000_000)
    assert len(closes_drawn(figure)) == 5_000
    assert figure.get_suptitle().endswith("(5,000 of the run's 5,010 bars)")


def test_start_and_end_choose_the_drawn_span():
    figure = plot_chart(cerebro_after_run(frame_of_bars()), start="2020-01-05", end="2020-01-08")
    assert list(closes_drawn(figure)) == [104.0, 105.0, 106.0, 107.0]


def test_a_strategy_that_has_run_can_be_drawn():
    strategy = cerebro_after_run(frame_of_bars()).runstrats[0][0]
    assert len(closes_drawn(plot_chart(strategy))) == 30


def test_bars_without_volume_are_drawn():
    figure = plot_chart(cerebro_after_run(frame_of_bars(volume=np.nan)))
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_charts_do_not_share_settings():
    plot_chart(cerebro_after_run(frame_of_bars(volume=np.nan)))
    with_volume = plot_chart(cerebro_after_run(frame_of_bars()))
    assert "Volume" in legend_texts(with_volume)


def test_neither_backend_nor_pyplot_figures_change():
    import matplotlib.pyplot as plt

    before = (matplotlib.rcParams._get_backend_or_none(), plt.get_fignums(), matplotlib.use)
    plot_chart(cerebro_after_run(frame_of_bars()))
    after = (matplotlib.rcParams._get_backend_or_none(), plt.get_fignums(), matplotlib.use)
    assert after == before


@pytest.mark.parametrize(
    ("cerebro", "reason"),
    [
        (lambda: bt.Cerebro(), "hasn't run"),
        (lambda: cerebro_after_run(frame_of_bars(), exactbars=1), "exactbars=1"),
        (lambda: cerebro_after_run(frame_of_bars(), BuyOnce, BuyOnce), "has run 2"),
        (lambda: "BuyOnce", "got str"),
        (lambda: cerebro_after_run(frame_of_bars(0), bt.Strategy), "had none"),
    ],
    ids=["not run", "exactbars", "two strategies", "a string", "no bars"],
)
def test_what_cannot_be_drawn_is_explained(cerebro, reason):
    with pytest.raises(TradingError, match=reason):
        plot_chart(cerebro())


def test_an_optimisation_is_refused():
    cerebro = bt.Cerebro(maxcpus=1)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame_of_bars()))
    cerebro.optstrategy(BuyOnce, period=[2, 3])
    results = cerebro.run()
    for drawn in [cerebro, results[0][0]]:
        with pytest.raises(TradingError, match="optimisation"):
            plot_chart(drawn)


def test_a_span_without_bars_is_refused():
    with pytest.raises(TradingError, match="Widen start and end"):
        plot_chart(cerebro_after_run(frame_of_bars()), start="2021")


def test_a_strategy_class_is_run_on_the_bars_first():
    bars = frame_of_bars()
    figure = plot_chart(Hold, bars, start="2020-01-05", end=date(2020, 1, 20))
    assert figure.get_suptitle() == "Hold, 2020-01-05 to 2020-01-20"
    figure = plot_chart(Hold, bars, start="2020-01-05", last_bars=10)
    assert figure.get_suptitle().endswith("(10 of the run's 26 bars)")  # four warmed up


@pytest.mark.parametrize(
    ("compression", "words"),
    [(1, "1 minute"), (15, "15 minutes"), (60, "1 hour"), (240, "4 hours")],
)
def test_the_length_of_a_bar_is_written_in_plain_words(compression, words):
    cerebro = bt.Cerebro()
    minutes = {"timeframe": bt.TimeFrame.Minutes, "compression": compression}
    bars = frame_of_bars(freq=f"{compression}min")
    cerebro.adddata(bt.feeds.PandasData(dataname=bars, name="TEST", **minutes))
    cerebro.addstrategy(BuyOnce)
    cerebro.run()
    assert f"TEST ({words}): 129.00" in legend_texts(plot_chart(cerebro))


class BuyAndSell(bt.Strategy):
    """Opens a position, and closes it again."""

    def next(self):
        if len(self) in (2, 5):
            self.order_target_size(target=1 if len(self) == 2 else 0)


def test_a_pane_of_closed_trades_is_drawn_only_where_there_are_any():
    strategy = cerebro_after_run(frame_of_bars()).runstrats[0][0]
    assert "Closed trades: profit" not in legend_texts(plot_chart(strategy))
    traded = cerebro_after_run(frame_of_bars(), BuyAndSell)
    assert "Closed trades: profit" in legend_texts(plot_chart(traded))
    assert "Closed trades: profit" not in legend_texts(plot_chart(traded, start="2020-01-10"))
    assert "Closed trades: profit" in legend_texts(plot_chart(traded))  # as before


@pytest.mark.parametrize("price", [1.0, 43_000.0, 43_000_000.0])
def test_no_text_of_the_chart_is_cut_or_runs_into_another(price):
    bars = frame_of_bars(freq="h")
    columns = ["open", "high", "low", "close"]
    bars[columns] *= price
    cerebro = cerebro_after_run(bars, timeframe=bt.TimeFrame.Minutes)
    figure = plot_chart(cerebro)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    width, _ = figure.canvas.get_width_height()
    for ax in figure.axes:
        labels = ax.yaxis.get_tightbbox(renderer)
        dates = ax.xaxis.get_tightbbox(renderer)
        assert labels.x0 >= 0
        assert dates is None or (dates.x0 >= 0 and dates.x1 <= width)
        if legend := ax.get_legend():
            box = legend.get_window_extent(renderer)
            assert max(labels.x1, ax.get_window_extent(renderer).x1) <= box.x0
            assert box.x1 <= width


@pytest.mark.parametrize("tz", [None, "America/New_York"], ids=["naive", "with a time zone"])
def test_the_chart_of_a_model_starts_after_its_training(tz):
    bars = frame_of_bars().tz_localize(tz)
    figure = plot_chart(Hold, bars, model=forecaster_trained_until(bars.index[9]))
    assert figure.get_suptitle().startswith("Hold, 2020-01-11 to 2020-01-30")


def test_an_in_sample_chart_is_called_that():
    bars = frame_of_bars()
    model = forecaster_trained_until(bars.index[9])
    assert plot_chart(Hold, bars, start="2020", model=model).get_suptitle().startswith("IN-SAMPLE")


def test_a_strategy_class_needs_bars():
    with pytest.raises(TradingError, match="needs bars"):
        plot_chart(BuyOnce)


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_lines_are_drawn_over_the_prices_of_their_bars(zone):
    bars = frame_of_bars(30, freq="h").tz_localize(zone)
    lines = pd.DataFrame({"fair": bars["close"] + 0.5}, bars.index)
    figure = plot_chart(Hold, bars, lines=lines, last_bars=10)
    drawn = [line for axis in figure.axes for line in axis.lines if line.get_label() == "fair"]
    assert [line.get_ydata().tolist() for line in drawn] == [lines["fair"].tolist()[-10:]]
    labels = [text.get_text() for text in drawn[0].axes.get_legend().get_texts()]
    assert "fair" in labels


def test_lines_of_other_bars_are_refused():
    bars = frame_of_bars(30)
    lines = pd.DataFrame({"fair": 1.0}, bars.index + pd.Timedelta(days=400))
    with pytest.raises(TradingError, match="lines have no value on any bar of the chart"):
        plot_chart(Hold, bars, lines=lines)


def test_the_chart_speaks_in_words_and_not_in_those_of_code():
    bars = frame_of_bars(10, volume=1.5e9)
    figure = plot_chart(BuyOnce, bars)
    texts = legend_texts(figure)
    assert not [text for text in texts if "None" in text or "True" in text or "\n" in text]
    assert {"Orders: buy", "sell"} <= set(texts)
    assert "Price (1 day): 109.00" in texts
    assert "SMA (3) 108.00" in texts


def test_orders_have_our_colors_in_panel_and_legend():
    figure = plot_chart(BuyOnce, frame_of_bars(10))
    buying, selling = order_marks(figure)
    assert (buying.get_color(), selling.get_color()) == (STRONG_COLORS[1], STRONG_COLORS[0])
    handles = [h for ax in figure.axes if (k := ax.get_legend()) for h in k.legend_handles]
    assert not [h for h in handles if getattr(h, "get_color", str)() in ("lime", "red", "blue")]


def test_ticks_of_the_volume_are_not_rounded():
    figure = plot_chart(BuyOnce, frame_of_bars(10, volume=1.5e9))
    axis = next(ax.yaxis for ax in figure.axes if ax.get_ylim()[1] > 1e9)
    assert axis.get_major_formatter()(1.5e9) == "1.5G"


def test_the_tips_of_the_marks_stand_at_the_prices_of_the_fills():
    bars = frame_of_bars(20)  # opens of 100, 101 and so on
    buying, selling = order_marks(plot_chart(cerebro_after_run(bars, InAndOut)))
    assert (list(buying.get_xdata()), list(buying.get_ydata())) == ([5, 7], [105.0, 107.0])
    assert (list(selling.get_xdata()), list(selling.get_ydata())) == ([9], [109.0])
    for marks, inside in ((buying, -1), (selling, 1)):
        corners = np.array(marks.get_marker())
        assert corners[0].tolist() == [0, 0] and (corners[1:3, 1] * inside > 0).all()


def test_marks_of_a_span_are_those_of_its_fills():
    figure = plot_chart(cerebro_after_run(frame_of_bars(20), InAndOut), last_bars=14)
    buying, selling = order_marks(figure)
    assert (list(buying.get_xdata()), list(selling.get_xdata())) == ([1], [3])


def test_a_fill_far_from_the_closes_is_inside_the_panel():
    bars = frame_of_bars(20)
    bars.loc[bars.index[5], ["open", "low"]] = 60.0
    buying, _ = order_marks(plot_chart(cerebro_after_run(bars, InAndOut)))
    low, high = buying.axes.get_ylim()
    assert buying.get_ydata()[0] == 60.0 and low < 60.0 < 119.0 < high
