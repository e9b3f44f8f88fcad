"""Every benchmark in turn, each in a process of its own, then docs/figures.md: `python -m benchmarks [--quick] [NAME ...]`."""

import argparse
import os
import subprocess
import sys
import time

from benchmarks._figures.page import HERE, PAGE, page

NAMES = sorted(file.stem for file in HERE.glob("[a-z]*.py") if "__main__" in file.read_text())


def run(name: str, *, quick: bool) -> bool:
    """Whether a script ended well; it prints its figures."""
    print(f"\n== {name}", flush=True)
    began = time.monotonic()
    words = [sys.executable, HERE / f"{name}.py", *(["--quick"] if quick else [])]
    done = subprocess.run(words, env=os.environ | ({"NISSL_DATA": os.devnull} if quick else {}), check=False)
    print(f"== {name}: {time.monotonic() - began:.0f} s, {'done' if done.returncode == 0 else 'FAILED'}", flush=True)
    return done.returncode == 0


def main() -> None:
    """Run them; keep the page, unless it was to be quick."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a look at each within 5 minutes in all, without MNIST and CIFAR-10; nothing is kept",
    )
    parser.add_argument("--page", action="store_true", help="measure nothing: write the page of what was measured")
    given = parser.parse_args()
    began = time.monotonic()
    failed = [] if given.page else [name for name in given.names if not run(name, quick=given.quick)]
    if not given.page:
        print(f"\n{len(given.names)} benchmarks in {(time.monotonic() - began) / 60:.1f} minutes")
    if not given.quick:
        PAGE.write_text(page())
        print(f"{PAGE.relative_to(HERE.parent)} is written")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
