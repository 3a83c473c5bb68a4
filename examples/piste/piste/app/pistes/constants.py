"""The names of this part of the API."""

API_NAME = "pistes"
URL_PREFIX = f"/{API_NAME}"
