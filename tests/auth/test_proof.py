"""Long proofs: many guesses, equal times, every kind of closed route, many logins at once."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
from flask import Blueprint, request
from flask.testing import FlaskClient
from flask.views import MethodView
from flask_jwt_extended import create_access_token, jwt_required

from buttress import Service, auth
from buttress.auth.passwords import Passwords
from buttress.auth.settings import AuthSettings
from tests.auth.guesser import EVERY, Guesser
from tests.databases import fresh_database
from tests.services import Make
from tests.serving.running import Running

pytestmark = pytest.mark.proof

NOW = 1_800_000_000.0
GUESSES, BATCH = 10_000, 50
#: Makes a user of the same password, without the time of a hash.
COPY = """
    INSERT INTO buttress_user
    SELECT :id, :name, email, roles, active, revision, :hash, created, changed
    FROM buttress_user WHERE name = 'known000'
"""
LOGIN = {"SECRET_KEY": token_urlsafe(32)}


@pytest.fixture
def shared(make: Make, tmp_path: Path) -> Iterator[tuple[str, Service]]:
    """Give a database of PostgreSQL with the tables, and a service on it."""
    with fresh_database("postgres", tmp_path) as url, ExitStack() as stack:
        app = make(extensions=["log", "web", "health", "db", "auth"], DB_URL=url, **LOGIN)
        stack.callback(app.close)
        app.db.migrations.upgrade()
        yield url, app


def workers(url: str, stack: ExitStack) -> list[subprocess.Popen[str]]:
    """Begin two processes that guess."""
    command = [sys.executable, "-m", "tests.auth.guesser", url]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    root = Path(__file__).parents[2]
    made = [stack.enter_context(subprocess.Popen(command, cwd=root, **pipes)) for _ in range(2)]
    for worker in made:
        stack.callback(worker.stdin.close)  # type: ignore[union-attr]  # a pipe
    return made


def guesses(both: list[subprocess.Popen[str]], first: int) -> list[float]:
    """Have both guess at the same time; give when passwords were looked at."""
    for place, worker in enumerate(both):
        worker.stdin.write(f"{json.dumps([NOW, first + place, first + BATCH])}\n")  # type: ignore[union-attr]  # a pipe
        worker.stdin.flush()  # type: ignore[union-attr]  # as above
    return [at for worker in both for at in json.loads(worker.stdout.readline())]  # type: ignore[union-attr]  # a pipe


def test_many_guesses(shared: tuple[str, Service]) -> None:
    """Of 10,000 guesses few are looked at, and the right user logs in during and soon after."""
    url, app = shared
    ada = Guesser(app.db)
    device = ada.door.device_of(ada.users.authenticate("ada", "powder"))  # type: ignore[arg-type]  # it is ada
    looked: list[float] = []
    logins = []
    with ExitStack() as stack:
        both = workers(url, stack)
        for first in range(0, GUESSES, BATCH):
            looked += guesses(both, first)
            if first % 500 == 0:
                now = NOW + (first + BATCH) * EVERY
                logins.append(ada.tried(now, "powder", "192.0.2.1", device))
    looked.sort()
    hours = [sum(at <= it < at + 3600 for it in looked) for at in looked]
    assert 30 < max(hours) <= 100, max(hours)
    assert logins == [True] * 20
    end = NOW + GUESSES * EVERY
    waits = (it for it in range(0, 901, 10) if ada.tried(end + it, "powder", "203.0.113.5"))
    assert next(waits, None) is not None


@pytest.fixture
def login(shared: tuple[str, Service]) -> Service:
    """Give a service with a login."""
    app = shared[1]

    @app.post("/login")
    def login() -> tuple[str, int]:
        user = app.auth.check(request.form["name"], request.form["password"])
        return ("in", 200) if user else ("no", 401)

    return app


def ask(client: FlaskClient, name: str, number: int) -> tuple[int, int, object]:
    """Try a wrong password; give nanoseconds of processor time, and of time, and the answer."""
    data = {"name": name, "password": f"wrong {number:04}"}
    place = {"REMOTE_ADDR": f"10.{number // 250}.{number % 250}.1"}
    began, began_cpu = time.perf_counter_ns(), time.process_time_ns()
    answer = client.post("/login", data=data, environ_overrides=place)
    cpu, wall = time.process_time_ns() - began_cpu, time.perf_counter_ns() - began
    own = {"X-Request-Id", "Date"}
    headers = [(key, value) for key, value in answer.headers.items() if key not in own]
    return cpu, wall, (answer.status_code, headers, answer.data)


@pytest.mark.timeout(600)  # 4,000 hashes
def test_known_and_unknown_users(login: Service) -> None:
    """A wrong password of somebody takes as long as one of nobody, and is answered the same."""
    attempts, accounts = 2000, 400
    hashed = login.auth.passwords.hash("right")
    login.auth.users.create("known000", "right")
    for number in range(1, accounts):
        values = {"id": str(number), "name": f"known{number:03}", "hash": hashed}
        login.db.run(COPY, values)
    client = login.test_client()
    cpu: dict[str, list[int]] = {"known": [], "nobod": []}
    wall: dict[str, list[int]] = {"known": [], "nobod": []}
    answers = set()
    for number in range(attempts):
        # Whoever goes first finds colder caches, so they take turns in that too.
        for name in sorted(cpu, reverse=number % 2 == 0):
            took, passed, answer = ask(client, f"{name}{number % accounts:03}", number)
            cpu[name].append(took)
            wall[name].append(passed)
            answers.add(repr(answer))
    ratios = [
        statistics.median(times["known"]) / statistics.median(times["nobod"])
        for times in (cpu, wall)
    ]
    told = f"known to unknown, CPU and wall: {ratios}"
    sys.stdout.write(f"{told}\n")
    assert len(answers) == 1, answers
    assert ratios == pytest.approx([1, 1], abs=0.03), told


def resident() -> int:
    """Give the memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


RESORT = """
from flask import request

from buttress import create_app

app = create_app("resort", extensions=["log", "web", "health", "db", "auth"])

@app.post("/login")
def login():
    user = app.auth.check(request.form["name"], request.form["password"])
    return ("in", 200) if user else ("no", 401)
"""


@pytest.fixture
def served(shared: tuple[str, Service], tmp_path: Path) -> Iterator[Running]:
    """Give that service with 100 users, served by granian in a process of its own."""
    url, app = shared
    app.auth.users.create("known000", "right")
    hashed = app.auth.passwords.hash("right")
    for number in range(1, 100):
        app.db.run(COPY, {"id": str(number), "name": f"known{number:03}", "hash": hashed})
    (tmp_path / "resort").mkdir()
    (tmp_path / "resort" / "__init__.py").touch()
    (tmp_path / "resort" / "main.py").write_text(RESORT)
    settings = {"DB_URL": url, "HOST": "127.0.0.1", "PORT": 0, "LOG_LEVEL": "INFO", **LOGIN}
    variables = {f"RESORT_{name}": value for name, value in settings.items()}
    command = ["-c", "from buttress.cli import main; main()", "run", "--app", "resort.main:app"]
    running = Running(tmp_path, command, variables)
    yield running.until_ready()
    running.end()


def test_many_logins_at_once(served: Running) -> None:
    """While 100 users log in at once all come in, and probes are answered as ever."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def enter(number: int) -> int:
        body = f"name=known{number:03}&password=right"
        return served.ask("/login", "POST", body=body, headers=form).status

    served.ask("/livez")
    waits = []
    with ThreadPoolExecutor(100) as pool:
        logins = [pool.submit(enter, number) for number in range(100)]
        while not all(it.done() for it in logins):
            began = time.perf_counter()
            assert served.ask("/livez").status == 200
            waits.append(time.perf_counter() - began)
            time.sleep(0.005)
    p99 = statistics.quantiles(waits, n=100)[98]
    sys.stdout.write(f"p99 {p99 * 1000:.1f} ms of {len(waits)}\n")
    assert Counter(it.result() for it in logins) == {200: 100}
    assert p99 < 0.1


def test_memory_of_many_logins_at_once() -> None:
    """Verifications in 100 threads leave at most twice what those take that may run at once."""
    settings = AuthSettings()
    before = resident()
    with closing(Passwords(settings, "production")) as passwords, ThreadPoolExecutor(100) as pool:
        hashed = passwords.hash("right")
        right = list(pool.map(lambda _: passwords.verify(hashed, "right"), range(200)))
        grown = (resident() - before) / 1024
    assert all(right)
    assert grown < settings.argon2_at_once * settings.argon2_memory_cost * 2, f"{grown} KiB"


UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
SCOPE = "write:snow"
#: What is closed by `jwt_required`, which takes signed tokens only.
SIGNED = "/signed"


class Resort:
    """A service with every kind of closed route; it notes which views were called."""

    def __init__(self, app: Service) -> None:
        self.app = app
        self.called: list[str] = []
        #: Path → whether the route asks for a scope.
        self.paths: dict[str, bool] = {}
        methods = ["GET", *UNSAFE]
        app.add_url_rule("/known", "known", auth.required(self.view("known")), methods=methods)
        app.add_url_rule(SIGNED, "signed", jwt_required()(self.view("signed")), methods=methods)
        self.paths |= {"/known": False, SIGNED: False}
        for name, closed in {
            "scoped": auth.scopes(SCOPE),
            "either": auth.scopes("read:snow", any_of=[SCOPE, ["admin", SCOPE]]),
        }.items():
            app.add_url_rule(f"/{name}", name, closed(self.view(name)), methods=methods)
            self.paths[f"/{name}"] = True
        self._blueprints(methods)
        self._classes()

    def view(self, name: str) -> Callable[..., str]:
        """Make a view that notes its call."""

        def called() -> str:
            self.called.append(f"{request.method} {name}")
            return name

        called.__name__ = name
        return called

    def _blueprints(self, methods: list[str]) -> None:
        outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
        auth.required(outer)
        auth.scopes(SCOPE)(inner)
        outer.add_url_rule("/outer", "outer", self.view("outer"), methods=methods)
        inner.add_url_rule("/inner", "inner", self.view("inner"), methods=methods)
        outer.register_blueprint(inner)
        self.app.register_blueprint(outer)
        self.paths |= {"/outer": False, "/inner": True}

    def _classes(self) -> None:
        resort = self

        class Piste(MethodView):
            decorators = (auth.scopes(SCOPE),)

            def get(self) -> str:
                return resort.view("class")()

            post = put = patch = delete = get

        self.app.add_url_rule("/class", view_func=Piste.as_view("piste"))
        self.app.add_url_rule("/default", "default", self.view("default"), methods=["GET", *UNSAFE])
        self.paths |= {"/class": True, "/default": False}


@pytest.fixture
def resort(make: Make, passwords: Passwords) -> Resort:
    """Give a closed service with ada, a guide, eve, a guide who is disabled, and bob, no guide."""
    app = make(
        extensions=["log", "web", "auth", "jwt"],
        AUTH_AUTHENTICATORS=["bearer", "token", "session", "basic"],
        AUTH_DEFAULT="required",
        AUTH_REMEMBER=0,
        AUTH_ROLES={"guide": ["read:snow", SCOPE]},
        JWT_SECRET_KEY=token_urlsafe(32),
        JWT_AUDIENCE="resort",
        **LOGIN,
    )
    app.auth.passwords = passwords
    for name, roles in {"ada": ["guide"], "eve": ["guide"], "bob": []}.items():
        app.auth.users.create(name, "powder", roles=roles)
    return Resort(app)


Credentials = dict[str, dict[str, str]]


def cookie(secret: str) -> dict[str, str]:
    """Write the headers of a session."""
    return {"Cookie": f"__Host-login={secret}", "Sec-Fetch-Site": "same-origin"}


def bearer(token: str) -> dict[str, str]:
    """Write the header of a token."""
    return {"Authorization": f"Bearer {token}"}


def of(app: Service, name: str, seconds: float = 3600) -> Credentials:
    """Give credentials of each kind of a user."""
    user = app.auth.users.get(name)
    assert user is not None
    password = b64encode(f"{name}:powder".encode()).decode()
    lasting = timedelta(seconds=seconds)
    kinds = {
        kind: app.auth.issuer.issue(user, kind=kind, seconds=max(seconds, 0.001))[0]
        for kind in ("api", "session")
    }
    return {
        "jwt": bearer(create_access_token(name, expires_delta=lasting)),
        "token": bearer(kinds["api"]),
        "session": cookie(kinds["session"]),
        "basic": {"Authorization": f"Basic {password}"},
    }


def foreign(app: Service, audience: str | None) -> dict[str, str]:
    """Give a token for another audience."""
    claims = {"aud": audience} if audience else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(app.config, "JWT_ENCODE_AUDIENCE", None)
        return bearer(create_access_token("ada", additional_claims=claims))


def test_every_route_and_all_credentials(resort: Resort) -> None:
    """No kind of closed route calls its view for anybody who may not."""
    app, client = resort.app, resort.app.test_client(use_cookies=False)
    with app.test_request_context():
        good, expired, less = of(app, "ada"), of(app, "ada", -60), of(app, "bob")
        gone = of(app, "eve")
        app.auth.users.update("eve", active=False)
        ada = app.auth.users.get("ada")
        assert ada is not None
        narrow = app.auth.issue_token(ada, label="", days=1, scopes=["read:snow"])[0]
        bad = {
            "none": {},
            "audience": foreign(app, "other"),
            "audience prefix": foreign(app, "resor"),
            "no audience": foreign(app, None),
            **{f"expired {kind}": expired[kind] for kind in ("jwt", "token", "session")},
            **{f"disabled {kind}": headers for kind, headers in gone.items()},
        }
        lacking = {**{f"no role, {it}": headers for it, headers in less.items()}}
        lacking |= {"narrow token": bearer(narrow)}
        lacking |= {
            "narrow jwt": bearer(create_access_token("ada", additional_claims={"scope": "x"}))
        }
    time.sleep(0.01)  # until the shortest have expired
    tried = 0
    for path, scoped in resort.paths.items():
        for what, headers in {**bad, **(lacking if scoped else {})}.items():
            for method in ("GET", "HEAD", *UNSAFE):
                answer = client.open(path, method=method, headers=headers, base_url=SITE)
                assert answer.status_code in (401, 403, 429), (
                    path,
                    what,
                    method,
                    answer.status_code,
                )
                tried += 1
    assert resort.called == []
    assert tried > 500
    for path in resort.paths:
        for what, headers in good.items():
            answer = client.post(path, headers=headers, base_url=SITE)
            takes_it = path != SIGNED or what == "jwt"
            assert answer.status_code == (200 if takes_it else 401), (path, what)


SITE = "https://localhost"
FORGERIES: dict[str, dict[str, str]] = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "another host of the site": {"Sec-Fetch-Site": "same-site", "Origin": "https://a.localhost"},
    "no origin": {"Origin": "null"},
    "an origin alike": {"Origin": "https://localhost.evil.example"},
    "an old browser": {"Content-Type": "text/plain"},
    "a made-up token": {"X-CSRF-Token": "0" * 64},
}


def test_every_unsafe_route_and_all_forgeries(resort: Resort) -> None:
    """Of the requests that other pages forge with somebody's session none is executed."""
    app, client = resort.app, resort.app.test_client(use_cookies=False)
    with app.test_request_context():
        session = of(app, "ada")["session"]["Cookie"]
    statuses = Counter(
        client.open(
            path, method=method, headers={**forgery, "Cookie": session}, base_url=SITE
        ).status_code
        for path in resort.paths
        for method in UNSAFE
        for forgery in FORGERIES.values()
    )
    assert statuses == {403: len(resort.paths) * len(UNSAFE) * len(FORGERIES)}
    assert resort.called == []
