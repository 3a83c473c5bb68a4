"""The service's own settings, below the environment (`GNAR_STALE_AFTER_HOURS`, …)."""

#: What the ski area is called.
AREA_NAME = "Val Sereine"

#: An open piste closes when its last report is so old; how often that is looked at.
STALE_AFTER_HOURS = 24.0
STALE_CHECK_SECONDS = 60.0

#: For how long `GET /summary` may be out of date where another worker made the change.
SUMMARY_SECONDS = 2.0

#: Who is told of closures, and by whom.
PATROL_ADDRESS = "Patrol <patrol@val-sereine.example>"
MAIL_SENDER = "Piste <piste@val-sereine.example>"

#: Queues that are there before anything consumes them.
QUEUES_NAMES = ("snow-reports", "closures")

#: What routes ask for, and what the roles of users may. A new user has none.
AUTH_SCOPES = ("write:lifts", "write:pistes", "write:reports")
AUTH_ROLES = {"patrol": AUTH_SCOPES, "admin": ("*",)}

#: Errors with true status codes (RFC 9457). A GnarApp answers in Gnar's style unless told.
ERRORS_STYLE = "problem"
