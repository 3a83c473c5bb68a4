"""Start and stop the servers that tests need: `make services-up`, `make services-down`.

The tests of this version need none: every back end they use lives in their own process.
"""

from __future__ import annotations

import argparse


def main() -> None:
    """Say what there is to start or stop."""
    parser = argparse.ArgumentParser(prog="tools.services")
    parser.add_argument("action", choices=["up", "down", "status"])
    parser.parse_args()
    print("The tests of this version need no server; there is nothing to start or stop.")


if __name__ == "__main__":
    main()
