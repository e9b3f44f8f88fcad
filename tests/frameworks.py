"""Every test that needs TensorFlow, JAX, ONNX or a training library; `make test-frameworks` runs it in their environment.

Keras has one back end a process, so its tests run three times.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

RUNS = [("all", "torch"), ("keras", "tensorflow"), ("keras", "torch"), ("keras", "jax")]
MARKS = {"all": r"mark\.framework", "keras": r'mark\.framework\((?:"keras"|[^"])'}
"""How a file marks tests of theirs: by name, or by a variable that may hold it."""
QUIETLY = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # what is compiled here runs for less time than its optimisation takes
}


def marked(framework: str) -> list[str]:
    """The files of its tests: the others need what this environment does not have, or import what no test of theirs uses."""
    files = Path(__file__).parent.glob("*/*.py")
    return sorted(str(file) for file in files if re.search(MARKS[framework], file.read_text()))


def main() -> int:
    worst = 0
    for framework, backend in RUNS:
        print(f"== {framework}, Keras on {backend}", flush=True)
        options = ["-n", "2", "--framework", framework, *sys.argv[1:]]
        command = [sys.executable, "-m", "pytest", *options, *marked(framework)]
        worst |= subprocess.call(command, env=os.environ | QUIETLY | {"KERAS_BACKEND": backend})
    return worst


if __name__ == "__main__":
    sys.exit(main())
