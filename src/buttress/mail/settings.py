"""Settings of mail."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from buttress.config import Key, Secret, Section
from buttress.errors import MailError
from buttress.mail.address import mailbox
from buttress.mail.url import MailUrl, parsed


class MailSettings(Section):
    """Say where mail goes, and from whom it comes."""

    url: Annotated[
        Secret | None,
        Key(min_length=0),
        Meta(
            description="Where mail goes: `smtp://user:password@host:587`, `smtps://…:465`, "
            "`ses://region`, `folder:///path` or `memory:`. By default the folder `mail` in the "
            "instance folder, and the memory in mode `testing`."
        ),
    ] = None
    sender: Annotated[
        str | None,
        Meta(
            description="From whom mail comes unless `send` says otherwise, such as "
            "`Shop <info@shop.example>`."
        ),
    ] = None
    domain: Annotated[
        str | None,
        Meta(
            description="Domain that this service calls itself to mail servers, and that stands in "
            "every Message-ID; by default the sender's."
        ),
    ] = None
    timeout: Annotated[
        float,
        Meta(description="Seconds that sending one mail may take.", gt=0, le=3600),
    ] = 30.0
    starttls: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="When `smtp://` is encrypted. `auto`: always, but on a loopback address "
            "only where the server offers it. `never` sends no password to another machine."
        ),
    ] = "auto"
    ca_file: Annotated[
        Path | None,
        Meta(
            description="File with the certificates of the authorities that mail servers are "
            "trusted by (PEM), instead of the system's."
        ),
    ] = None
    ses_region_name: Annotated[
        str | None,
        Key(name="SES_REGION_NAME"),
        Meta(
            description="Region of Amazon SES; by default the one in `ses://region`, else that of "
            "AWS's own settings."
        ),
    ] = None
    ses_access_key_id: Annotated[
        str | None,
        Key(name="SES_ACCESS_KEY_ID"),
        Meta(description="Access key for SES; by default AWS's own chain finds the credentials."),
    ] = None
    ses_secret_access_key: Annotated[
        Secret | None,
        Key(name="SES_SECRET_ACCESS_KEY", min_length=0),
        Meta(description="Secret of the access key for SES."),
    ] = None
    ses_endpoint_url: Annotated[
        str | None,
        Key(name="SES_ENDPOINT_URL"),
        Meta(description="Address of SES, where it is not Amazon's own, such as a test server."),
    ] = None

    @property
    def target(self) -> MailUrl | None:
        """Give what the URL says; ``None`` where there is none."""
        return None if self.url is None else parsed(self.url)

    @property
    def own_domain(self) -> str | None:
        """Give ``domain`` in ASCII, as mail servers are told it."""
        return None if self.domain is None else mailbox(f"x@{self.domain}", "MAIL_DOMAIN").domain

    def problems(self) -> Iterable[str]:
        """Name a URL that is none, a sender that is none, and what does not go together."""
        yield from self._of_addresses()
        if (self.ses_access_key_id is None) != (self.ses_secret_access_key is None):
            yield (
                "SES_ACCESS_KEY_ID and SES_SECRET_ACCESS_KEY belong together: set both, or none "
                "for AWS's own chain of credentials."
            )
        if urlsplit(self.ses_endpoint_url or "http:").scheme not in ("http", "https"):
            yield "SES_ENDPOINT_URL must begin with http:// or https://."
        if self.ca_file is not None and not self.ca_file.is_file():
            yield f"MAIL_CA_FILE: there is no file {self.ca_file}."
        try:
            target = self.target
        except ValueError as error:
            yield f"MAIL_URL {error}."
        else:
            yield from () if target is None else self._of_target(target)

    def _of_addresses(self) -> Iterable[str]:
        addresses = {"MAIL_SENDER": self.sender, "MAIL_DOMAIN": self.domain}
        for key, value in addresses.items():
            if value is None:
                continue
            try:
                mailbox(value if key == "MAIL_SENDER" else f"postmaster@{value}", key)
            except MailError as error:
                yield f"{error}"

    def _of_target(self, target: MailUrl) -> Iterable[str]:
        if self.starttls == "never" and target.sends_password_away:
            yield (
                "MAIL_STARTTLS=never would send the password of MAIL_URL in the clear: remove one "
                "of them."
            )
        if target.scheme == "ses" and target.host not in ("", self.ses_region_name or target.host):
            yield (
                f"MAIL_URL says the region {target.host} and SES_REGION_NAME says "
                f"{self.ses_region_name}: set one of them."
            )
