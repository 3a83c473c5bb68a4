"""The names of this part of the API."""

API_NAME = "lifts"
URL_PREFIX = f"/{API_NAME}"
