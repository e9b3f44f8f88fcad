"""`python -m nissl` is `nissl`."""

import sys

from nissl.apps.cli import main

if __name__ == "__main__":
    sys.exit(main())
