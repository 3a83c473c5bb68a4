"""The web edge: request ids, problem pages, security headers, CORS and templates.

Other extensions use what is named here and nothing else of this folder.
"""

from __future__ import annotations

from buttress.web.deadline import current_deadline
from buttress.web.edge import PROBE, Edge, Probe, edge_of
from buttress.web.extension import Web, WebExtension, install_errors, install_hooks
from buttress.web.request_id import HEADER as REQUEST_ID_HEADER
from buttress.web.request_id import correlated, current_request_id, request_id_of
from buttress.web.security import PRINCIPAL, security_headers
from buttress.web.template_globals import offer_to_templates

__all__ = [
    # the extension
    "Web",
    "WebExtension",
    "install_errors",
    "install_hooks",
    # the id of a request, and of work outside of one
    "REQUEST_ID_HEADER",
    "correlated",
    "current_request_id",
    "request_id_of",
    # the time that a request has
    "current_deadline",
    # what templates have
    "offer_to_templates",
    # the security headers of a view
    "security_headers",
    # between the server and Flask
    "PRINCIPAL",
    "PROBE",
    "Edge",
    "Probe",
    "edge_of",
]
