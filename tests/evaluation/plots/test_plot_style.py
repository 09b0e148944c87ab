"""What all figures share: true ticks, hyphens, and colours that everyone can tell apart."""

import base64
import io
import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from lstm_strategy.evaluation.plots import (
    STRONG_COLORS,
    NotebookFigure,
    draw_pixels,
    plotting_style,
)
from lstm_strategy.evaluation.plots.style import PercentTicks, label_dates, picture_name

# How eyes without one kind of cone see linear RGB (Machado, Oliveira and Fernandes 2009, table 1).
COLOR_BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ_OF_RGB = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
WHITE = (0.9505, 1.0, 1.089)


def lab_seen(color, matrix):
    """The colour as CIELAB, which is about even to the eye."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0.0, 1.0)
    x, y, z = np.cbrt(np.maximum(np.array(XYZ_OF_RGB) @ seen / WHITE, 1e-9))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", COLOR_BLINDNESS)
def test_colors_stay_apart_for_the_color_blind(kind):
    seen = [lab_seen(color, COLOR_BLINDNESS[kind]) for color in ("#000000", *STRONG_COLORS)]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 20


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("LSTM policy", "LSTM policy"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("$SPX to $VIX", r"\$SPX to \$VIX"),
        ("N" * 200, "N" * 39 + "…"),
        ("\u202eevil", "\\u202eevil"),
        ("_hidden", "\u200e_hidden\u200e"),
        ("\u05d0\u05d1", "\u200e\u05d0\u05d1\u200e"),
    ],
    ids=["plain", "lines", "dollars", "long", "override", "underline", "Hebrew"],
)
def test_a_picture_shows_a_name_letter_by_letter(name, shown):
    assert picture_name(name) == shown


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([-0.1, -0.075, -0.05, -0.025, 0.0], ["-10.0%", "-7.5%", "-5.0%", "-2.5%", "0.0%"]),
        ([-0.2, -0.1, -0.0], ["-20%", "-10%", "0%"]),
        ([0.0, 0.00025, 0.0005], ["0.000%", "0.025%", "0.050%"]),
        ([0.1 + 0.2, 0.4], ["30%", "40%"]),
        ([10.0, 20.0], ["1,000%", "2,000%"]),
    ],
    ids=["halves", "whole", "small", "rounding errors", "thousands"],
)
def test_ticks_in_percent_are_never_rounded(values, texts):
    assert PercentTicks().format_ticks(values) == texts


def test_numbers_below_zero_have_a_hyphen_and_no_offset():
    with plotting_style():
        figure = NotebookFigure()
        axes = figure.subplots()
    axes.plot([0, 1], [-1000.5, -1000.0])
    figure.canvas.draw()
    texts = [tick.label1.get_text() for tick in axes.yaxis.majorTicks]  # as they were drawn
    assert {text[0] for text in texts} == {"-"}
    assert axes.yaxis.get_offset_text().get_text() == ""


def test_a_picture_in_a_notebook_has_few_colors_even_where_pyplot_was_loaded(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    figure = NotebookFigure(figsize=(2.0, 1.0))
    figure.add_subplot().plot([1, 3, 2], color=STRONG_COLORS[0])
    figure._ipython_display_()
    (data,) = shown
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.mode == "P"
    assert tuple(bytes.fromhex(STRONG_COLORS[0][1:])) in {
        color for _, color in picture.convert("RGB").getcolors()
    }
    assert data["text/plain"] == repr(figure)


def zoomable_figure():
    with plotting_style():
        figure = NotebookFigure(figsize=(4.0, 3.0), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
    above.plot([0, 1, 2], [1.0, 20.0, 300.0])
    above.set_yscale("log")
    above.set_ylabel("Above")
    below.plot([0, 1, 2], [-0.05, 0.0, 0.025])
    below.yaxis.set_major_formatter(PercentTicks())
    below.set_ylabel("Below")
    below.legend(below.get_lines(), ["a line"])
    figure.align_ylabels()
    return figure


def pixels_by_savefig(figure, *, dpi, **how):
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi, **how)
    picture.seek(0)
    return np.asarray(Image.open(picture).convert("RGBA"))


def test_a_figure_that_is_drawn_once_looks_as_savefig_draws_it():
    drawn = draw_pixels(zoomable_figure(), dpi=70)
    np.testing.assert_array_equal(drawn, pixels_by_savefig(zoomable_figure(), dpi=70))


def test_a_figure_without_background_is_transparent_and_keeps_its_colors():
    figure = zoomable_figure()
    assert draw_pixels(figure, dpi=70, has_background=False)[0, 0, 3] == 0
    assert figure.dpi == 100
    np.testing.assert_array_equal(
        draw_pixels(figure, dpi=70), pixels_by_savefig(zoomable_figure(), dpi=70)
    )


def test_ticks_follow_a_zoom_after_the_figure_was_drawn():
    figure, other = zoomable_figure(), zoomable_figure()
    draw_pixels(figure, dpi=70)
    for each in (figure, other):
        each.axes[1].set_ylim(-0.5, 0.5)
        each.axes[1].set_xlim(0.5, 1.5)
    np.testing.assert_array_equal(draw_pixels(figure, dpi=70), draw_pixels(other, dpi=70))


def test_ticks_are_those_that_matplotlib_finds_by_itself():
    figure, other = zoomable_figure(), zoomable_figure()
    with matplotlib.rc_context({"axes.unicode_minus": False}):
        Figure.draw(other, other.canvas.get_renderer())
    figure.canvas.draw()
    np.testing.assert_array_equal(figure.canvas.buffer_rgba(), other.canvas.buffer_rgba())


@pytest.mark.parametrize(
    ("first", "last", "labels", "shared"),
    [
        pytest.param(
            "2024-01-20", "2024-06-10", ["Feb", "Mar", "Apr", "May", "Jun"], "2024", id="months"
        ),
        pytest.param(
            "2024-02-27", "2024-03-02", ["27", "28", "29", "Mar", "02"], "2024-Mar", id="days"
        ),
    ],
)
def test_months_of_dates_are_english_in_every_locale(first, last, labels, shared):
    ax = Figure().add_subplot()
    ax.set_xlim(np.datetime64(first), np.datetime64(last))
    ax.xaxis_date()
    label_dates(ax)
    ax.figure.draw_without_rendering()
    shown = [label.get_text() for label in ax.get_xticklabels()]
    formatter = ax.xaxis.get_major_formatter()
    assert [text for text in shown if text] == labels
    assert formatter.get_offset() == shared
    asked = [*formatter.formats, *formatter.zero_formats, *formatter.offset_formats]
    assert not any("%b" in each for each in asked)  # the directive that a locale translates
