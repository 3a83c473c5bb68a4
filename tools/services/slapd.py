"""OpenLDAP; on its own, such as in a container: ``python -m tools.services.slapd``.

Its password is then in SLAPD_PASSWORD, and its folder in SERVICES_FOLDER.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import urlencode

from tools.services.place import HOST, Place, free_port, says
from tools.services.server import Server

#: Everything is below this entry, and this one may do everything.
BASE = "dc=piste,dc=test"
ADMIN = f"cn=admin,{BASE}"
SCHEMAS = ("core", "cosine", "nis", "inetorgperson")
SCHEMA_FOLDER = Path("/etc/ldap/schema")
#: An anonymous bind, and how its answer goes on after its length (RFC 4511, 4.2).
GREETING = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"
WELCOME = b"\x02\x01\x01\x61\x07\x0a\x01\x00"
ENTRIES = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Piste

dn: ou=people,{BASE}
objectClass: organizationalUnit

dn: ou=groups,{BASE}
objectClass: organizationalUnit
"""


class Slapd(Server):
    """OpenLDAP's slapd with an administrator, and with ``ou=people`` and ``ou=groups``, empty.

    Its URL has the administrator and the base. ``authority`` says which certificate authority to
    trust, for StartTLS and on the port in ``ldaps``, which is TLS from the first byte.
    """

    name = "slapd"
    variable = "TEST_LDAP_URL"
    packages = ("slapd",)
    user = "openldap"
    ending = signal.SIGTERM

    def __init__(self, host: str = HOST, ldaps: int | None = None) -> None:
        self._host = host
        self._ldaps = ldaps

    def program(self) -> Path | None:
        """Find it where Debian has it, together with its schemas, and what makes certificates."""
        found = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        parts = SCHEMA_FOLDER.exists() and importlib.util.find_spec("trustme")
        return Path(found) if found and parts else None

    def start(self, place: Place, program: Path, user: str | None) -> None:
        """Start it, after making its database where there is none."""
        own = place.folder / "slapd"
        if not _ldaps(place).exists():
            # Ubuntu confines the installed one to the folders of the system's own server.
            shutil.copy(program, own)
            _certify(place, user)
            _write(place.data / "slapd.conf", _configuration(place), user)
            _write(place.data / "entries.ldif", ENTRIES, user)
            place.run([str(own), "-Tadd", *_files(place), "-l", f"{place.data}/entries.ldif"], user)
            _ldaps(place).write_text(str(self._ldaps or free_port()))
        host, ldaps = self._host, _ldaps(place).read_text()
        listeners = f"ldap://{host}:{place.port} ldaps://{host}:{ldaps}"
        place.start([str(own), "-d", "0", "-h", listeners, *_files(place)], user)

    def is_ready(self, place: Place) -> bool:
        """Greet it."""
        return says(place.port, GREETING, WELCOME)

    def url(self, place: Place) -> str:
        """Give its address, and where the rest is."""
        rest = {"authority": place.folder / "authority.pem", "ldaps": _ldaps(place).read_text()}
        address = f"{ADMIN}:{place.password}@{HOST}:{place.port}"
        return f"ldap://{address}/{BASE}?{urlencode(rest, safe='/')}"


def _ldaps(place: Place) -> Path:
    """Give the file that keeps the port of LDAPS."""
    return place.folder / "ldaps"


def _files(place: Place) -> list[str]:
    return ["-f", str(place.data / "slapd.conf")]


def _certify(place: Place, user: str | None) -> None:
    import trustme

    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(place.folder / "authority.pem"))
    pem = issuer.issue_cert(HOST, "localhost").private_key_and_cert_chain_pem
    _write(place.data / "certificate.pem", pem.bytes().decode(), user)


def _configuration(place: Place) -> str:
    certificate = place.data / "certificate.pem"
    modules = Path("/usr/lib/ldap")
    lines = (
        *(f"include {SCHEMA_FOLDER}/{name}.schema" for name in SCHEMAS),
        *((f"modulepath {modules}", "moduleload back_mdb") if modules.exists() else ()),
        f"TLSCertificateFile {certificate}",
        f"TLSCertificateKeyFile {certificate}",
        "database mdb",
        f"suffix {BASE}",
        f"rootdn {ADMIN}",
        f"rootpw {place.password}",
        f"directory {place.data}",
        "dbnosync",
        "index objectClass,uid,mail,member eq",
        "access to attrs=userPassword by self write by anonymous auth by * none",
        "access to * by * read",
    )
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str, user: str | None) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
    if user is not None:
        shutil.chown(path, user)


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="tools.services.slapd")
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=1389)
    parser.add_argument("--ldaps", type=int, default=1636)
    arguments = parser.parse_args()
    server, place = Slapd(arguments.host, arguments.ldaps), Place(Slapd.name)
    program, user = server.program(), server.user if os.geteuid() == 0 else None
    if program is None:
        parser.error("slapd is not installed")
    place.make(user)
    place.port, place.password = arguments.port, os.environ["SLAPD_PASSWORD"]
    server.start(place, program, user)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    place.stop(server.ending)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
