"""Protected routes and passwords, beside Flask-JWT-Extended and argon2-cffi, in one run.

Each application is called in process, on one core, in turns, as `benchmarks.inprocess` does it.
Both sides run one view with one token, and neither writes a record of requests. Importing the
extension ``jwt`` puts a look-up of less than a microsecond into Flask-JWT-Extended, which the
stock application pays too. Run it with ``python -m benchmarks.auth``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from benchmarks.cases.auth import TITLES, credential_cases, token_cases
from benchmarks.cases.auth_passwords import PasswordTimes, password_times
from benchmarks.cases.outcome import FLASK, SERVICE, Place
from benchmarks.cases.timing import Times
from benchmarks.cases.turns import measure, pin
from benchmarks.report.circumstances import circumstances
from benchmarks.report.result import FOLDER
from benchmarks.report.table import markdown
from benchmarks.report.target import Target, verdicts

PACKAGES = ("flask", "flask-jwt-extended", "pyjwt", "argon2-cffi")
TARGETS: tuple[Target[Place], ...] = (
    Target("`@jwt_required()` beside Flask-JWT-Extended", ("known", SERVICE), ("known", FLASK), 5),
)
#: What our verification of a password may take of argon2-cffi's time.
PASSWORDS = 1.05


def main() -> None:
    """Measure everything, print it, and write it into a folder."""
    parser = argparse.ArgumentParser(prog="benchmarks.auth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=4000, help="of each application in a round")
    parser.add_argument("--passwords", type=int, default=100, help="verified by each side")
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    options = parser.parse_args()
    pin("benchmarks.auth")
    with token_cases() as tokens:
        measured = measure(tokens, options.rounds, options.calls)
    with credential_cases() as credentials:
        measured |= measure(credentials, options.rounds, options.calls)
    page = written(measured, password_times(options.passwords))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "auth.md").write_text(page, encoding="utf-8")
    print(page)


def written(measured: Mapping[Place, Times], passwords: PasswordTimes) -> str:
    """Write the page."""
    speeds = {place: 1 / times.wall for place, times in measured.items()}
    thrift = {place: 1 / times.cpu for place, times in measured.items()}
    met = "met" if passwords.ratio <= PASSWORDS else "**not met**"
    parts = [
        "# Protected routes and passwords",
        circumstances(PACKAGES),
        "## Time per request in process",
        markdown(
            ("route", "application", "µs", "requests/CPU s", "× Flask"),
            [_row(measured, *place) for place in measured],
            texts=2,
        ),
        "## A password is verified",
        markdown(
            ("", "CPU ms"),
            [
                ("`app.check_password_hash`", f"{passwords.service:.2f}"),
                ("argon2-cffi", f"{passwords.argon2:.2f}"),
            ],
        ),
        "## Targets",
        verdicts(TARGETS, speeds, thrift)
        + f"\n- a password beside argon2-cffi: {passwords.ratio:.3f}× of its time "
        f"(target ≤ {PASSWORDS:g}×), {met}",
    ]
    return "\n\n".join(parts) + "\n"


def _row(measured: Mapping[Place, Times], case: str, subject: str) -> tuple[str, ...]:
    times, stock = measured[case, subject], measured.get((case, FLASK))
    ratio = "" if stock is None else f"{stock.cpu / times.cpu:.2f}×"
    return (TITLES[case], subject, f"{times.wall:.1f}", f"{1e6 / times.cpu:,.0f}", ratio)


if __name__ == "__main__":
    main()
