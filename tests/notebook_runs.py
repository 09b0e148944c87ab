"""Run notebooks from their scripts and keep what came out: `make notebooks`.

python tests/notebook_runs.py                          all of them
python tests/notebook_runs.py notebooks/03_tuning.py   some of them
"""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbclient
import nbformat

FOLDER = Path(__file__).parents[1] / "notebooks"

# what the tests put in place of long training, so that no notebook need know of it
QUICK = {
    "01_first_backtest": {"seed=7)": "seed=7, epochs=2, members=1)"},
    "02_walk_forward": {
        "7_000": "1_500",
        "train=3_500, test=700": "train=700, test=400",
        "members=3": "members=2, epochs=2, lookback=20",
        'sample_bars("sp500")': 'sample_bars("sp500")["2004":"2008-06"]',
        '"8 years", "2 years"': '"2 years", "2 years"',
    },
    "03_tuning": {
        "8_000": "1_400",
        "epochs=30, lookback=60": "epochs=3, lookback=20",
        "space, 10": "space, 3",
        "epochs=10": "epochs=2, lookback=20",
        'sample_bars("sp500")': 'sample_bars("sp500")["2000":"2006"]',
        "stops, 12": "stops, 3",
    },
    "04_reading_the_memory": {
        "12_000": "2_000",
        "1_500": "500",
        "9_000": "1_500",
        "members=3": "members=2, epochs=3, lookback=20",
        "lags=40": "lags=19",
    },
    "05_your_own": {
        "6_000": "1_600",
        "4_500": "1_200",
        "lookback=40": "lookback=20",
        "members=3": "members=2, epochs=2",
    },
    "06_volatility": {"8_000": "2_500", "5_600": "1_750", "members=3": "members=2, epochs=2"},
    "07_policies": {
        "9_000": "2_000",
        "6_750": "1_500",
        "members=3": "members=2, epochs=2, lookback=20",
    },
    "08_many_markets": {
        "3_000, seed=7, n_assets=8": "900, seed=7, n_assets=3",
        "2_250": "675",
        "2_249": "674",
        "members=3": "members=1, epochs=1, lookback=20, memory='window'",
    },
    "09_perpetuals": {
        "24 * 1_667": "24 * 375",
        "3_750": "840",
        "members=3": "members=1, epochs=1, lookback=20, memory='window'",
    },
}


def make_quick(notebook, texts):
    """Replace texts of a notebook's code, each of which must be there."""
    for text, quick_text in texts.items():
        cells = [cell for cell in notebook.cells if text in cell.source]
        if not cells:
            raise LookupError(f"no cell holds {text!r}: bring QUICK in line with the script")
        for cell in cells:
            cell.source = cell.source.replace(text, quick_text)


def run_script(script, place, texts=None):
    """Return the notebook of a script with its outputs, run in the folder `place`."""
    notebook = jupytext.read(script)
    make_quick(notebook, texts or {})
    resources = {"metadata": {"path": str(place)}}
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources=resources
    )
    client.execute()
    return notebook


def write_notebook(script):
    """Run a script and write its notebook; cells that have an id there keep it."""
    with TemporaryDirectory(prefix="notebook-") as place:
        notebook = run_script(script, place)
    file = script.with_suffix(".ipynb")
    if file.exists():
        earlier = nbformat.read(file, as_version=4).cells
        names = {(cell.cell_type, cell.source): cell.id for cell in earlier if "id" in cell}
        for cell in notebook.cells:
            cell.id = names.pop((cell.cell_type, cell.source), cell.id)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran says nothing, and differs each time
    nbformat.write(notebook, file)
    return file


if __name__ == "__main__":
    os.environ["LSTM_STRATEGY_CACHE"] = "off"
    for path in map(Path, sys.argv[1:] or sorted(map(str, FOLDER.glob("*.py")))):
        began = time.monotonic()
        file = write_notebook(path)
        size = file.stat().st_size / 1000
        sys.stdout.write(f"{file.name}: {time.monotonic() - began:.0f} s, {size:,.0f} kB\n")
