"""The extension ``health``: what orchestrators and load balancers ask."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import orjson
from werkzeug.wrappers import Response

from buttress.extension import Extension
from buttress.health.heartbeat import Heartbeat
from buttress.health.settings import HealthSettings
from buttress.health.version import package_version, stamped_version
from buttress.lifecycle import State
from buttress.web import Probe, edge_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from buttress.service import Service

logger = logging.getLogger("buttress.health")
Report = tuple[bool, dict[str, Any]]


class Health:
    """What ``app.health`` is: the reports, and the paths on which they are given.

    They are given before Flask comes in: no session is opened and no hook is run.
    """

    def __init__(self, app: Service, settings: HealthSettings) -> None:
        # A service has its health: a plain reference back would be a cycle.
        self._app = cast("Service", weakref.proxy(app))
        self._heartbeat = Heartbeat(app, settings.timeout)
        self._stamped = stamped_version(app, settings.version_file)
        reports: dict[str, Callable[[], Report]] = {
            "/__heartbeat__": self.heartbeat,
            "/__lbheartbeat__": self.alive,
            "/__version__": self.version,
            "/livez": self.alive,
            "/readyz": self.ready,
            "/startupz": self.started,
        }
        #: Path → report.
        self.reports = {settings.prefix + path: report for path, report in reports.items()}

    def heartbeat(self) -> Report:
        """Check everything that the service depends on."""
        checks = self._heartbeat.check()
        broken = sorted(self._app.broken)
        healthy = not broken and all(each["status"] == "ok" for each in checks.values())
        found: dict[str, Any] = {"state": self._app.lifecycle.state, "checks": checks}
        if broken:
            found["broken"] = broken
        return healthy, {"status": "ok" if healthy else "error", **found}

    def alive(self) -> Report:
        """Say that the process answers; nothing else is touched."""
        return True, {"status": "ok"}

    def ready(self) -> Report:
        """Say whether new requests are welcome, and what stands in their way."""
        state = self._app.lifecycle.state
        obstacles = self._app.lifecycle.obstacles() if state is State.SERVING else {}
        found: dict[str, Any] = {"obstacles": obstacles} if obstacles else {}
        return state is State.SERVING and not obstacles, {"status": state, **found}

    def started(self) -> Report:
        """Say whether the start is over."""
        state = self._app.lifecycle.state
        return state in (State.SERVING, State.DRAINING), {"status": state}

    def version(self) -> Report:
        """Say which version runs."""
        return True, self._stamped or self._package_version

    @cached_property
    def _package_version(self) -> dict[str, Any]:
        return package_version(self._app.package)

    def install(self) -> None:
        """Put the reports on their paths, except where the application has a route of its own."""
        taken = {rule.rule for rule in self._app.url_map.iter_rules()} & self.reports.keys()
        for path in sorted(taken):
            logger.warning("%s has a route of its own at %s, which stays", self._app.name, path)
            del self.reports[path]
        probes = edge_of(self._app).probes
        probes.update({path: _probe(report) for path, report in self.reports.items()})


class HealthExtension(Extension[HealthSettings, Health]):
    """Answer heartbeat, version, liveness, readiness and start-up probes."""

    name = "health"
    settings = HealthSettings

    def build(self, app: Service, settings: HealthSettings) -> Health:
        """Make it."""
        return Health(app, settings)

    def start(self, it: Health) -> None:
        """Take the paths, now that all routes are known."""
        it.install()


def _probe(report: Callable[[], Report]) -> Probe:
    def answer(environ: WSGIEnvironment) -> Response:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            headers = {"Allow": "GET, HEAD", "Cache-Control": "no-store"}
            return Response(b'{"status":"method not allowed"}', 405, headers, "application/json")
        good, body = report()
        response = Response(orjson.dumps(body), 200 if good else 503, mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer
