"""Every test that needs TensorFlow, JAX, ONNX or a training library; `make test-frameworks` runs it in their environment.

Keras has one back end a process, so its tests run three times.
"""

import os
import subprocess
import sys
from pathlib import Path

RUNS = [("all", "torch"), ("keras", "tensorflow"), ("keras", "torch"), ("keras", "jax")]


def marked() -> list[str]:
    """The files of those tests: the others need what this environment does not have."""
    return sorted(str(file) for file in Path(__file__).parent.glob("*/*.py") if "mark.framework" in file.read_text())


def main() -> int:
    worst = 0
    for framework, backend in RUNS:
        print(f"== {framework}, Keras on {backend}", flush=True)
        command = [sys.executable, "-m", "pytest", "-n", "2", "--framework", framework, *sys.argv[1:], *marked()]
        worst |= subprocess.call(command, env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"})
    return worst


if __name__ == "__main__":
    sys.exit(main())
