"""The service's own settings, below the environment (`GNAR_DATA_FILE`, `GNAR_ERRORS_STYLE`, …)."""

#: What the ski area consists of; relative to this package.
DATA_FILE = "data/area.json"

#: Errors with true status codes (RFC 9457). A GnarApp answers in Gnar's style unless told.
ERRORS_STYLE = "problem"
