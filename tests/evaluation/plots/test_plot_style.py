"""What all figures share: true ticks, hyphens, and colours that everyone can tell apart."""

import base64
import io
import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from lstm_strategy.evaluation.plots import STRONG_COLORS, NotebookFigure, plotting_style
from lstm_strategy.evaluation.plots.style import PercentTicks

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
