"""What was found in process, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.cases.timing import Times
from benchmarks.report.chart import Bar, Group, chart
from benchmarks.report.result import Result
from benchmarks.report.table import markdown
from benchmarks.report.target import Target, verdicts

#: What the rows are called; the ratios are to FLASK.
RAW, FALCON, FLASK, SERVICE, FULL = "raw WSGI", "Falcon", "Flask", "Service", "full stack"
#: The name of a case and of an application in it.
Place = tuple[str, str]

TARGETS: tuple[Target[Place], ...] = (
    Target("dict view beside Flask", ("dict", SERVICE), ("dict", FLASK), 10),
    Target("dict view beside Falcon", ("dict", SERVICE), ("dict", FALCON), 1),
    Target("`jsonify` beside Flask", ("jsonify", SERVICE), ("jsonify", FLASK), 6),
    Target("full stack beside bare Flask", ("full", FULL), ("full", FLASK), 4),
)
TITLES = {
    "dict": "dict view, integer parameter",
    "jsonify": "jsonify",
    "str": "str",
    "404": "404",
    "100-routes": "100 routes, dict view, integer parameter",
    "post": "POST of 1 kB JSON",
    "hooks": "one hook before, one after",
    "session": "session read",
    "full": "full production stack, beside bare Flask",
}


def result(measured: Mapping[Place, Times], how: str, where: str) -> Result:
    """Write down what was measured."""
    speeds = {place: 1 / times.wall for place, times in measured.items()}
    thrift = {place: 1 / times.cpu for place, times in measured.items()}
    title = "Time per request in process, µs (shorter is better)"
    page = [
        f"# {title}",
        f"Medians of {how}, in turns, on one core. {where}",
        table(measured),
        verdicts(TARGETS, speeds, thrift),
    ]
    return Result("\n\n".join(page) + "\n", chart(title, groups(measured)))


def table(measured: Mapping[Place, Times]) -> str:
    """Write a line for each application of each case."""
    rows = [
        (TITLES[case], subject, f"{it.wall:.2f}", f"{it.cpu:.2f}", beside_flask(measured, case, it))
        for (case, subject), it in measured.items()
    ]
    return markdown(("case", "application", "µs", "CPU µs", "× Flask"), rows, texts=2)


def groups(measured: Mapping[Place, Times]) -> list[Group]:
    """Give a group of bars for each case."""
    return [
        Group(
            TITLES[name],
            [
                Bar(
                    subject,
                    it.wall,
                    f"{it.wall:.1f}  ({beside_flask(measured, name, it)} Flask)",
                    ours=subject in (SERVICE, FULL),
                )
                for (case, subject), it in measured.items()
                if case == name
            ],
        )
        for name in dict.fromkeys(case for case, _ in measured)
    ]


def beside_flask(measured: Mapping[Place, Times], case: str, times: Times) -> str:
    """Say how many times as fast as Flask in the same case."""
    return f"{measured[case, FLASK].wall / times.wall:.2f}×"
