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


def run_script(script, place):
    """Return the notebook of a script with its outputs, run in the folder `place`."""
    notebook = jupytext.read(script)
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
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for path in map(Path, sys.argv[1:] or sorted(map(str, FOLDER.glob("*.py")))):
        began = time.monotonic()
        file = write_notebook(path)
        size = file.stat().st_size / 1000
        sys.stdout.write(f"{file.name}: {time.monotonic() - began:.0f} s, {size:,.0f} kB\n")
