"""What wrk reports is read, its failures too."""

from __future__ import annotations

import pytest

from benchmarks.load.wrk import Load, NotUnderstood, read

REPORT = """Running 3s test @ http://127.0.0.1:8000/items/42
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.70ms  512.27us  10.61ms   90.56%
    Req/Sec    18.94k     1.17k   20.53k    83.33%
  Latency Distribution
     50%    1.61ms
     75%    1.80ms
     90%    2.05ms
     99%    {p99}
  56649 requests in 3.01s, 9.40MB read
{failures}Requests/sec:  18830.18
Transfer/sec:      3.12MB
"""


@pytest.mark.parametrize(
    ("p99", "milliseconds"),
    [("4.20ms", 4.2), ("812.00us", 0.812), ("1.10s", 1100), ("1.00m", 60e3)],
)
def test_report(p99: str, milliseconds: float) -> None:
    """Rate, count and the 99th percentile, whatever its unit, are read."""
    expected = Load(18830.18, 56649, milliseconds, 0)
    assert expected == read(REPORT.format(p99=p99, failures=""))


def test_failures() -> None:
    """Errors of sockets and refused requests are counted together."""
    failures = "  Socket errors: connect 1, read 2, write 3, timeout 4\n"
    failures += "  Non-2xx or 3xx responses: 100\n"
    assert read(REPORT.format(p99="1.00ms", failures=failures)).failed == 110


def test_report_without_figures() -> None:
    """A report that lacks a figure is refused, and shown."""
    with pytest.raises(NotUnderstood, match="unable to connect"):
        read("unable to connect to 127.0.0.1:8000 Connection refused")
