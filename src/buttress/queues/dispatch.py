"""The handling of one message: its context, its transaction where asked for, and the verdict."""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from buttress.errors import Reject
from buttress.queues.message import Message
from buttress.web import correlated

if TYPE_CHECKING:
    from buttress.queues.consumer import Plan
    from buttress.queues.handled import Handled
    from buttress.service import Service

logger = logging.getLogger("buttress.queues")


class Outcome(Enum):
    """What becomes of a message."""

    #: It is deleted.
    DONE = auto()
    #: It comes back after a pause that grows.
    RETRY = auto()
    #: The handler returned ``False``: it comes back.
    LEFT = auto()
    #: It goes to the dead letters.
    BURY = auto()


class Dispatch:
    """Handle messages inside the application; whatever a handler does, the loop goes on."""

    def __init__(self, app: Service, handled: Handled | None) -> None:
        self._app = app
        self._name = app.name
        self._handled = handled

    def handle(self, plan: Plan, message: Message) -> tuple[Outcome, str]:
        """Give the outcome of a message, and the reason where it is buried."""
        if message.count > plan.max_deliveries:
            return self._bury(message, f"not handled in {plan.max_deliveries} deliveries")
        try:
            with self._app.app_context(), correlated(message.request_id):
                left = self._called(plan, message) is False
        except Reject as rejection:
            return self._bury(message, str(rejection))
        except BaseException as error:
            # SystemExit too: a handler ends neither the process nor the loop.
            logger.exception("%s: a message of %s failed: %s", self._name, plan.queue, message.id)
            return self._failed(plan, message, f"{type(error).__name__}: {error}")
        if left:
            return self._failed(plan, message, "left by its handler", Outcome.LEFT)
        return Outcome.DONE, ""

    def _called(self, plan: Plan, message: Message) -> Any:
        if plan.once and self._handled is not None:
            return self._handled.once(message, lambda: plan.handler(message))
        return plan.handler(message)

    def _failed(
        self, plan: Plan, message: Message, reason: str, outcome: Outcome = Outcome.RETRY
    ) -> tuple[Outcome, str]:
        if message.count >= plan.max_deliveries:
            return self._bury(message, f"{reason} (delivery {message.count})")
        return outcome, ""

    def _bury(self, message: Message, reason: str) -> tuple[Outcome, str]:
        logger.error(
            "%s: %s of %s is a dead letter: %s", self._name, message.id, message.queue, reason
        )
        return Outcome.BURY, reason
