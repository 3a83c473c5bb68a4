"""Clients of Amazon's services: how they are reached, and what their errors say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from msgspec import Struct

from buttress.config import Secret
from buttress.errors import ConfigError

#: The code of an error that says that no credentials were found.
NO_CREDENTIALS = "NoCredentials"
#: The code of an error that says that boto3 itself does not take the arguments.
NOT_TAKEN = "ParamValidation"


class AwsError(Exception):
    """Raised when a service answers with an error, or cannot even be asked.

    ``code`` is Amazon's word for what is wrong, ``text`` says it, and ``status`` is that of HTTP.
    """

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(code, text, status)
        self.code, self.text, self.status = code, text, status

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Access(Struct, frozen=True, kw_only=True):
    """Say how a service is reached; boto3 finds itself what is ``None``.

    ``name`` is what settings begin with, such as ``SQS``, and ``url`` a setting that may name the
    region too.
    """

    name: str
    url: str
    region: str | None
    key_id: Secret | None
    secret: Secret | None
    endpoint: str | None


class AwsClient:
    """A client of one service, made when it is first used, once in each process.

    What follows ``access`` are the options of botocore's ``Config``. Raises `ConfigError` where no
    region is known, and for what boto3 cannot be set up with.
    """

    def __init__(self, access: Access, **options: Any) -> None:
        self._access = access
        self._session = _session(access)
        self._config = Config(**options)
        self._pid = os.getpid()
        self._lock = Lock()
        self._made: Any = None

    @property
    def region(self) -> str:
        """Give the region."""
        return str(self._session.region_name)

    def get(self) -> Any:
        """Give boto3's client, the same one each time; threads may share it, a fork may not.

        Raises `ConfigError` for an endpoint that is none.
        """
        if self._pid != os.getpid():
            self._pid, self._lock, self._made = os.getpid(), Lock(), None
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def close(self) -> None:
        """Close the connections; a later use opens others."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None and self._pid == os.getpid():
            made.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Raise `AwsError`, or `ConnectionError` without an answer, in place of boto3's errors."""
        name = self._access.name
        try:
            yield
        except ClientError as error:
            raise _answer(error) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise AwsError(
                NO_CREDENTIALS,
                f"Amazon {name} needs credentials: set {name}_ACCESS_KEY_ID and "
                f"{name}_SECRET_ACCESS_KEY, or give them where boto3 looks for them ({error}).",
            ) from error
        except ParamValidationError as error:
            raise AwsError(NOT_TAKEN, str(error)) from error
        except BotoCoreError as error:
            raise ConnectionError(f"Amazon {name}: {error}") from error

    def _make(self) -> Any:
        access = self._access
        try:
            return self._session.client(
                access.name.lower(),
                endpoint_url=access.endpoint,
                aws_access_key_id=_revealed(access.key_id),
                aws_secret_access_key=_revealed(access.secret),
                config=self._config,
            )
        except ValueError as error:
            keys = f"{access.name}_REGION_NAME or {access.name}_ENDPOINT_URL"
            raise ConfigError([f"{keys}: {error}."]) from error


def _session(access: Access) -> Any:
    name = access.name
    try:
        session = boto3.session.Session(region_name=access.region)
    except BotoCoreError as error:
        raise ConfigError([f"boto3 cannot be set up for Amazon {name}: {error}."]) from error
    if session.region_name is None:
        raise ConfigError(
            [
                f"Amazon {name} needs a region: set {name}_REGION_NAME, write it in "
                f"{access.url}, or give AWS_DEFAULT_REGION."
            ]
        )
    return session


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _answer(error: Any) -> AwsError:
    said = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return AwsError(str(said.get("Code", "")), str(said.get("Message", "")), status)
