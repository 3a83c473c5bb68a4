"""Every backend of mail keeps the contract."""

from __future__ import annotations

from buttress.testing.contracts.mail import *  # noqa: F403  # the tests of the contract
