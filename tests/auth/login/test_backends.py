"""The login pages over users that are kept elsewhere than in the process."""

from __future__ import annotations

from pathlib import Path

from tests.auth.ldap.directory import SERVICE_PASSWORD, shared_directory
from tests.auth.login.conftest import PASSWORD, Browser, LoginService, alarm, fields


def expect_login(browser: Browser) -> None:
    """Expect that ada logs in with her password and with no other, and logs out."""
    assert browser.log_in(password="wrong").status_code == 422
    assert browser.log_in(next="/pistes/7").location == "/pistes/7"
    assert browser.open("/pistes/7").text == "ada on 7"
    browser.post("/logout", fields(browser.open("/logout").text))
    assert browser.known_as is None


def test_users_in_the_database(login_service: LoginService, tmp_path: Path) -> None:
    """Users, sessions and attempts may be in the service's database."""
    app = login_service(None, "db", DB_URL=f"sqlite:///{tmp_path}/piste.db")
    expect_login(Browser(app.test_client()))


def test_users_in_a_directory(login_service: LoginService) -> None:
    """Users may be in a directory."""
    with shared_directory() as directory:
        directory.person("ada", PASSWORD)
        app = login_service(
            AUTH_USERS=f"ldaps://{directory.host}:{directory.ports['ldaps']}/{directory.people}",
            AUTH_LDAP_BIND_DN=directory.service,
            AUTH_LDAP_PASSWORD=SERVICE_PASSWORD,
            AUTH_LDAP_CA_FILE=directory.authority,
        )
        expect_login(Browser(app.test_client()))


def test_a_directory_that_is_down(login_service: LoginService) -> None:
    """While the directory is down the page says so, and not that the password is wrong."""
    app = login_service(AUTH_USERS="ldap://127.0.0.1:1/dc=piste", AUTH_LDAP_TIMEOUT=1)
    answer = Browser(app.test_client()).log_in()
    assert answer.status_code == 503
    assert str(alarm(answer.text)).startswith("Nobody can log in at the moment.")
