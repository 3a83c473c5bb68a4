"""The login pages: a blueprint with a login by password and by OpenID Connect, and a logout.

``app.register_blueprint(blueprint)`` puts them where the service wants them, below any prefix.
"""

from __future__ import annotations

from buttress.auth.login.blueprint import blueprint

__all__ = ["blueprint"]
