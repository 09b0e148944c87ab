"""Print what the package needs, and its extras that are named, one requirement a line.

On Linux and x86-64 TensorFlow is asked for as `tensorflow-cpu`, the same without the code for
GPUs: half of the download, and 0.6 GB less of disk. A package can't ask for either of the two, so
`pip install .` brings the large one, and `make` installs what this prints.
"""

import platform
import sys
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SETUP = Path(__file__).parents[1] / "setup.cfg"


def read_requirements(extras: list[str]) -> list[str]:
    """The requirements of the package and of the extras in setup.cfg."""
    setup = ConfigParser()
    setup.read(SETUP, encoding="utf-8")
    groups = [setup["options"]["install_requires"]]
    groups += [setup["options.extras_require"][extra] for extra in extras]
    return [line for group in groups for line in group.split("\n") if line]


def choose_tensorflow(requirement: str) -> str:
    """The requirement; that of TensorFlow without the code for GPUs, where there is a choice."""
    is_served = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    if not is_served or is_installed("tensorflow"):
        return requirement
    return requirement.replace("tensorflow>", "tensorflow-cpu>")


def is_installed(name: str) -> bool:
    """Whether pip has installed it here."""
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


if __name__ == "__main__":
    print("\n".join(map(choose_tensorflow, read_requirements(sys.argv[1:]))))
