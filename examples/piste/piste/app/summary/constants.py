"""The names of this part of the API."""

API_NAME = "summary"
URL_PREFIX = f"/{API_NAME}"
CACHE_KEY = API_NAME
