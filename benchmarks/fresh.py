"""Functions called in a process of their own, where nothing is imported, compiled or warm yet."""

import importlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def in_fresh_process(function: str, *arguments: Any, backend: str | None = None) -> Any:
    """What `module.function` of this folder returns for JSON arguments, in a new Python process.

    `backend` is the Keras backend of that process. Raises RuntimeError with what it printed.
    """
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if backend is not None:
        environment["KERAS_BACKEND"] = backend
    command = [sys.executable, "-m", "benchmarks.fresh", function, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    if done.returncode:
        raise RuntimeError(f"{function} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def peak_bytes() -> int:
    """The most memory that this process has had at once."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would begin with the memory of the process that started us
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    function, arguments = sys.argv[1], json.loads(sys.argv[2])
    module, _, name = function.rpartition(".")
    called = getattr(importlib.import_module(f"benchmarks.{module}"), name)
    print(json.dumps(called(*arguments)))


if __name__ == "__main__":
    main()
