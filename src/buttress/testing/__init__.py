"""What tests of a service need: the application in mode testing, closed afterwards."""

from buttress.testing.application import make_app

__all__ = ["make_app"]
