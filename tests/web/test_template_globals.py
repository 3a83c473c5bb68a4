"""Functions that extensions offer to templates."""

from __future__ import annotations

from flask import render_template_string

from buttress import Service
from buttress.web import offer_to_templates


def rendered(app: Service, text: str) -> str:
    """Render a template of the application."""
    with app.app_context():
        return render_template_string(text)


def test_templates_have_what_was_offered() -> None:
    """Each function is there, in macros too, and options can be changed until one is made."""
    app = Service("shop")
    offer_to_templates(app, "snow", lambda: "snow")
    offer_to_templates(app, "ice", lambda: "ice")
    app.jinja_options = {"variable_start_string": "<<", "variable_end_string": ">>"}
    text = "{% macro it() %}<< snow() >> << ice() >>{% endmacro %}<< it() >>"
    assert rendered(app, text) == "snow ice"


def test_a_name_that_is_taken() -> None:
    """Where the environment is made already, a function of the application's own stays."""
    app = Service("shop")
    app.add_template_global(lambda: "own", "snow")
    offer_to_templates(app, "snow", lambda: "snow")
    offer_to_templates(app, "ice", lambda: "ice")
    assert rendered(app, "{{ snow() }} {{ ice() }}") == "own ice"


def test_a_name_that_is_taken_later() -> None:
    """What the application gives itself afterwards counts."""
    app = Service("shop")
    offer_to_templates(app, "snow", lambda: "snow")
    app.add_template_global(lambda: "own", "snow")
    assert rendered(app, "{{ snow() }}") == "own"


def test_each_application_has_its_own() -> None:
    """Nothing is offered to another application."""
    one, other = Service("one"), Service("other")
    for app in (one, other):
        offer_to_templates(app, "name", lambda app=app: app.name)
    assert [rendered(app, "{{ name() }}") for app in (one, other)] == ["one", "other"]
