"""`GnarApp.run`, in processes of their own."""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

import pytest

from buttress.lifecycle import State
from buttress.loading import recording

from .conftest import USER, Make
from .process import LOG, finished, started, write_main

MODULE = ("-m", "shop.app.main")


@pytest.mark.parametrize("arguments", [MODULE, ("shop/app/main.py",)])
def test_serves(shop: Path, arguments: tuple[str, ...]) -> None:
    """The two lines serve as a module and as a script, and end with 0 on SIGTERM."""
    port = write_main(shop, production=True)
    with started(shop, port, *arguments) as service:
        assert json.loads(service.ask("/user/get")[1]) == {"status": "ok"}
        assert service.stop() == 0
    log = (shop / LOG).read_text(encoding="utf-8")
    assert log.count("Gnar-Shop is up") == log.count("Listening on /user") == 1


def test_serves_in_development(shop: Path) -> None:
    """In development they start the development server, which ends with 0 as well."""
    port = write_main(shop, production=False)
    with started(shop, port, *MODULE) as service:
        assert json.loads(service.ask("/user/get")[1]) == {"status": "ok"}
        assert service.stop() == 0
    assert "Gnar-Shop development server is up" in (shop / LOG).read_text(encoding="utf-8")


def test_mended_while_it_serves(shop: Path) -> None:
    """A module that is broken at the start of the development server is served once mended."""
    broken = shop / "shop" / "app" / "user" / "apis.py"
    broken.write_text("this is no Python\n", encoding="utf-8")
    port = write_main(shop, production=False)
    with started(shop, port, *MODULE) as service:
        assert service.ask("/admin")[0] == 200
        broken.write_text("\n".join(line.strip() for line in USER.splitlines()[:5]), "utf-8")
        broken.write_text(broken.read_text("utf-8") + MENDED, encoding="utf-8")
        wait_for(lambda: "mended" in ask_patiently(service, "/user/mended"))
    assert "SyntaxError" in (shop / LOG).read_text(encoding="utf-8")
