"""What Buttress takes from granian's private side is still there."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import inspect

from granian import _granian
from granian._futures import _new_cbscheduler
from granian.http import HTTP1Settings

SENTENCE = "granian changed what serving/granian.py uses: adapt that file, or keep the old release"


def test_release() -> None:
    """The installed release is of the series that serving/granian.py was written for."""
    assert importlib.metadata.version("granian").startswith("2.8."), SENTENCE


def test_names() -> None:
    """The worker, its socket, its signal and the scheduler have the members that are used."""
    assert hasattr(_granian.WSGIWorker, "serve_mtr"), SENTENCE
    assert hasattr(_granian.WSGIWorker, "serve_mtr_uds"), SENTENCE
    assert {"set", "add_cb"} <= set(dir(_granian.WorkerSignal)), SENTENCE
    assert list(inspect.signature(_new_cbscheduler).parameters) == ["loop", "cb", "impl_asyncio"]


def test_worker_arguments() -> None:
    """The worker takes its arguments in the order in which they are given."""
    expected = (
        "worker_id sock ipc threads blocking_threads py_threads py_threads_idle_timeout "
        "backpressure http_mode http1_opts http2_opts static_files ssl_enabled ssl_cert ssl_key "
        "ssl_key_password ssl_protocol_min ssl_ca ssl_crl ssl_client_verify metrics"
    )
    assert list(inspect.signature(_granian.WSGIWorker).parameters) == expected.split(), SENTENCE


def test_http_settings() -> None:
    """The HTTP settings have the fields that are set."""
    fields = {field.name for field in dataclasses.fields(HTTP1Settings)}
    assert {"header_read_timeout", "keep_alive", "max_buffer_size"} <= fields, SENTENCE
