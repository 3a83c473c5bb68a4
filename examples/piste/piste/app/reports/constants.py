"""The names of this part of the API."""

API_NAME = "reports"
URL_PREFIX = f"/{API_NAME}"
QUEUE = "snow-reports"
