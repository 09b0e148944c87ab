"""Try damaged files on readers: python -m tools.fuzz --inputs 10000 --readers json onnx.

Each reader runs in a process of its own, the fast ones first. What came of its inputs is written to
DIR/READER-SEED.json after each hundred, and one file of each kind that it couldn't cope with lies
beside it. The same seed damages the same files. A table of all readers comes at the end.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tools.fuzz import FAST, READERS, Outcome, try_inputs


def main() -> int:
    """Try the readers one after another; 1 if anything was found, or a process died."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    in_order = [*FAST, *(name for name in READERS if name not in FAST)]
    parser.add_argument("--inputs", type=int, default=1000, help="of each reader (default 1000)")
    parser.add_argument("--readers", nargs="+", choices=in_order, default=in_order)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path(".fuzz"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if len(options.readers) == 1:
        return _try_one(options.readers[0], options)
    is_off = False
    for name in options.readers:
        arguments = ["--inputs", str(options.inputs), "--seed", str(options.seed)]
        command = [sys.executable, "-m", "tools.fuzz", "--readers", name, *arguments]
        ended = subprocess.run([*command, "--out", str(options.out)], check=False)
        if ended.returncode < 0:
            print(f"{name} ended by signal {-ended.returncode}: see the newest folder tmp* there")
        is_off |= ended.returncode != 0
    print(_table(options.readers, options))
    return is_off


def _table(names: list[str], options: argparse.Namespace) -> str:
    """What came of the readers, as Markdown."""
    rows = [
        "| reader | inputs | accepted | refused | slowest, CPU s | findings |",
        "|---" * 6 + "|",
    ]
    for name in names:
        file = options.out / f"{name}-{options.seed}.json"
        if file.exists():
            of = Outcome(**json.loads(file.read_text()))
            numbers = (of.n_inputs, of.n_read, of.n_refused, of.slowest_s, len(of.findings))
            rows.append(f"| {name} | {' | '.join(map('{:,}'.format, numbers))} |")
    return "\n".join(rows)


def _try_one(name: str, options: argparse.Namespace) -> int:
    def write(outcome: Outcome) -> None:
        file = options.out / f"{name}-{options.seed}.json"
        file.write_text(json.dumps(asdict(outcome), indent=2))

    outcome = try_inputs(
        name, options.inputs, seed=options.seed, keep=options.out, on_progress=write
    )
    write(outcome)
    print(json.dumps(asdict(outcome)))
    return bool(outcome.findings)


if __name__ == "__main__":
    sys.exit(main())
