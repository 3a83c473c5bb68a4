"""From a description to an application, of whichever class."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import flask
from flask.views import MethodView

from tests.engine.differential.answers import ANSWERS
from tests.engine.differential.converters import CONVERTERS
from tests.engine.differential.description import App, Blueprint, Endpoint, Hook, View
from tests.engine.differential.oddities import CLASS_ODDITIES, INSTANCE_ODDITIES
from tests.engine.differential.recording import NAME, Recorder
from tests.engine.differential.steps import ERRORS, STEPS

FOLDER = Path(__file__).parent
LEAF = Endpoint("leaf", View(), ())


def build(described: App, kind: type[flask.Flask], recorder: Recorder) -> flask.Flask:
    """Make the application that is described, as a ``kind``."""
    bases = [CLASS_ODDITIES[it](recorder) for it in described.oddities if it in CLASS_ODDITIES]
    made = type("App", (*bases, kind), {}) if bases else kind
    options = {"static_folder": str(FOLDER / "static"), **described.options}
    app = made(NAME, root_path=str(FOLDER), instance_path=str(FOLDER / "instance"), **options)
    app.config.update(described.config)
    app.url_map.converters.update(CONVERTERS)
    for name, value in described.url_map.items():
        setattr(app.url_map, name, value)
    app.add_url_rule("/leaf", "leaf", view_of(LEAF, recorder))
    furnish(app, "app", described, recorder)
    for blueprint in described.blueprints:
        register(app, blueprint, recorder)
    for oddity in described.oddities:
        if oddity in INSTANCE_ODDITIES:
            INSTANCE_ODDITIES[oddity](app, recorder)
    return app


def register(
    parent: flask.Flask | flask.Blueprint, described: Blueprint, recorder: Recorder
) -> None:
    """Make a blueprint with those inside it, and register it."""
    blueprint = flask.Blueprint(described.name, NAME, root_path=str(FOLDER))
    furnish(blueprint, described.name, described, recorder)
    for inner in described.inner:
        register(blueprint, inner, recorder)
    parent.register_blueprint(blueprint, **described.options)


def furnish(
    scaffold: flask.Flask | flask.Blueprint,
    name: str,
    described: App | Blueprint,
    recorder: Recorder,
) -> None:
    """Give an application or blueprint its hooks and its routes."""
    for number, hook in enumerate(described.hooks):
        add_hook(scaffold, hook, f"{name} {number}", recorder)
    for endpoint in described.endpoints:
        view = view_of(endpoint, recorder)
        for rule in endpoint.rules:
            scaffold.add_url_rule(rule.path, endpoint.name, view, **rule.options)


def view_of(endpoint: Endpoint, recorder: Recorder) -> Callable[..., Any]:
    """Make the view of an endpoint."""
    view = endpoint.view

    def answer(**values: Any) -> Any:
        recorder.note("view", endpoint.name, values)
        recorder.perform(view.steps, STEPS)
        recorder.note("answer", view.answer)
        return ANSWERS[view.answer](recorder)

    return VIEW_KINDS[view.kind](answer)


def _async(answer: Callable[..., Any]) -> Callable[..., Any]:
    async def view(**values: Any) -> Any:
        return answer(**values)

    return view


def _method_view(answer: Callable[..., Any]) -> Callable[..., Any]:
    class Resource(MethodView):
        def get(self, **values: Any) -> Any:
            return answer(**values)

        def post(self, **values: Any) -> Any:
            return answer(**values)

    return Resource.as_view("resource")


def _with_attributes(**attributes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def marked(answer: Callable[..., Any]) -> Callable[..., Any]:
        def view(**values: Any) -> Any:
            return answer(**values)

        view.__dict__.update(attributes)
        return view

    return marked


VIEW_KINDS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "function": lambda answer: answer,
    "async": _async,
    "class": _method_view,
    "partial": lambda answer: partial(answer),
    "with methods": _with_attributes(methods=["GET", "PATCH"]),
    "with required methods": _with_attributes(required_methods=["DELETE"]),
    "without options": _with_attributes(provide_automatic_options=False),
}


def add_hook(
    scaffold: flask.Flask | flask.Blueprint, hook: Hook, label: str, recorder: Recorder
) -> None:
    """Register a hook by the method that it is named after."""
    function = hook_function(hook, label, recorder)
    if hook.key is None:
        getattr(scaffold, hook.kind)(function)
    else:
        key = ERRORS[hook.key] if isinstance(hook.key, str) else hook.key
        getattr(scaffold, hook.kind)(key)(function)


def hook_function(hook: Hook, label: str, recorder: Recorder) -> Callable[..., Any]:
    """Make the function of a hook: it notes its arguments, does its steps and its last thing."""
    last = _last_thing(hook)

    def function(*arguments: Any) -> Any:
        recorder.note(hook.kind, label, *arguments)
        recorder.perform(hook.steps, STEPS)
        recorder.note("hook", hook.kind, hook.does if hook.key is None else hook.key)
        return last(recorder, *arguments)

    return function


def _last_thing(hook: Hook) -> Callable[..., Any]:
    if hook.kind.removeprefix("after_app_").removeprefix("after_") == "request":
        return AFTER[hook.does]
    if "url_" in hook.kind:
        return VALUES[hook.does]
    if "context_processor" in hook.kind:
        return lambda _: {"who": label_of(hook)}
    if hook.does == "nothing":
        return lambda *_: None
    if hook.does == "raise again":
        return _raise_again
    return lambda recorder, *_: ANSWERS[hook.does](recorder)


def label_of(hook: Hook) -> str:
    """Name a hook in a template."""
    return f"{hook.kind}!"


def _raise_again(_: Recorder, error: BaseException) -> None:
    raise error


def _read(log: Recorder, response: flask.Response) -> flask.Response:
    with log.reading():
        log.note("data", response.get_data())
    return response


def _changed(changed: flask.Response, **attributes: Any) -> flask.Response:
    for name, value in attributes.items():
        setattr(changed, name, value)
    return changed


def _with_header(_: Recorder, response: flask.Response) -> flask.Response:
    response.headers.add("X-After", "1")
    return response


#: What a hook after the request makes of the response.
AFTER: dict[str, Callable[..., Any]] = {
    "same": lambda _, response: response,
    "header": _with_header,
    "new": lambda _, response: flask.Response("new " + response.status, 298),
    "other data": lambda _, response: _changed(response, data=b"other"),
    "other status": lambda _, response: _changed(response, status="418 Changed"),
    "read data": lambda log, response: _read(log, response),
    "nothing": lambda _, response: None,
    "wsgi": lambda _, response: ANSWERS["wsgi"](_),
    "json of it": lambda _, response: flask.jsonify(was=response.status_code),
    "automatic length off": lambda _, response: _changed(
        response, automatically_set_content_length=False
    ),
    "stream": lambda _, response: _changed(response, response=iter([b"streamed"])),
    "close": lambda log, response: (
        response.call_on_close(lambda: log.note("closed after")) and response
    ),
}

#: What a hook makes of the values of a URL.
VALUES: dict[str, Callable[..., Any]] = {
    "keep": lambda _, endpoint, values: None,
    "pop": lambda _, endpoint, values: values and values.popitem(),
    "set": lambda _, endpoint, values: values is not None and values.update(lang="en"),
    "clear": lambda _, endpoint, values: values is not None and values.clear(),
    "replace": lambda _, endpoint, values: (
        flask.has_request_context() and setattr(flask.request, "view_args", {"x": "replaced"})
    ),
}
