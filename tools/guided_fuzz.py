"""Let coverage choose how files are damaged: python -m tools.guided_fuzz toml --inputs 10000.

atheris (`pip install atheris`) looks which lines of this package each file reaches, and goes on
from those that reached new ones. What it chooses are the numbers that decide how a valid file is
damaged, so that it works on every reader. What came of the inputs is written to
DIR/READER-guided.json.
"""

import argparse
import json
import random
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lstm_strategy"]):
    from tools.fuzz import READERS, ChosenNumbers, Outcome, open_trial

_EVERY, _N_FIRST, _N_BYTES = 100, 20, 128


def main() -> None:
    """Try one reader; libFuzzer ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tools.guided_fuzz", description=__doc__)
    parser.add_argument("reader", choices=list(READERS))
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path(".fuzz"))
    options = parser.parse_args()
    corpus = options.out / f"{options.reader}-corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(_N_FIRST):
        (corpus / str(number)).write_bytes(random.Random(number).randbytes(_N_BYTES))
    outcome = Outcome(options.reader, seed="guided")
    file = options.out / f"{options.reader}-guided.json"
    trial = ExitStack()
    try_one = trial.enter_context(open_trial(outcome, keep=options.out, limits_memory=True))

    def try_chosen(data: bytes) -> None:
        if outcome.n_inputs == options.inputs:  # libFuzzer looks at some once more
            return
        try_one(ChosenNumbers(data))
        is_last = outcome.n_inputs == options.inputs
        if is_last or outcome.n_inputs % _EVERY == 0:
            file.write_text(json.dumps(asdict(outcome), indent=2))
        if is_last:
            trial.close()  # nothing is done after `Fuzz`

    ends = [f"-runs={options.inputs}", f"-max_len={2 * _N_BYTES}", "-len_control=0"]
    libfuzzers = ["-rss_limit_mb=0", f"-artifact_prefix={options.out}/", str(corpus)]
    atheris.Setup([sys.argv[0], *ends, *libfuzzers], try_chosen)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
