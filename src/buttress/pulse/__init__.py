"""Pulse: publish to and consume from topic exchanges on RabbitMQ."""

from __future__ import annotations

from buttress.pulse.extension import Pulse, PulseExtension
from buttress.pulse.message import Message
from buttress.pulse.refusal import PulseRefused
from buttress.pulse.settings import PulseSettings

__all__ = [
    # the extension
    "Pulse",
    "PulseExtension",
    "PulseSettings",
    # what a consumer receives
    "Message",
    # what the broker refuses
    "PulseRefused",
]
