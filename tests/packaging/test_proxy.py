"""The example of a reverse proxy with TLS, in a real nginx before a real server: what it lets through, and as whom."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fixtures.house import KEY, House, wait_for
from tests.packaging.conftest import OFFLINE, ROOT

EXAMPLE = ROOT / "packaging" / "nginx" / "omnicrm.conf"
NAME = "crm.example.net"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
HERE, CALLER, SOMEBODY_ELSE = "127.0.0.1", "127.0.0.2", "203.0.113.5"

pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx, which is not installed (nginx-light)")


@dataclass(frozen=True)
class Proxy:
    """An nginx that serves the example in `folder`, with a site's own names filled in."""

    folder: Path

    def certify(self) -> None:
        """Make a certificate for the name that the example serves, signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
        begun = datetime.now(UTC) - timedelta(hours=1)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(begun)
        made = made.not_valid_after(begun + timedelta(days=2))
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        pem = serialization.Encoding.PEM
        plain = serialization.NoEncryption()
        self.certificate.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
        self.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))

    @property
    def certificate(self) -> Path:
        return self.folder / "fullchain.pem"

    @property
    def key(self) -> Path:
        return self.folder / "private.key"

    def configure(self, **own: str) -> list[str]:
        """Write nginx's configuration around the example, with `own` in the place of what it says; return argv."""
        example = EXAMPLE.read_text()
        names = {"/etc/ssl/omnicrm/fullchain.pem": str(self.certificate), "/etc/ssl/omnicrm/private.key": str(self.key)}
        for theirs, ours in {**names, **own}.items():
            assert example.count(f"{theirs};") == 1, f"{EXAMPLE} should say {theirs!r} once"
            example = example.replace(f"{theirs};", f"{ours};" if ours else "")
        (self.folder / "omnicrm.conf").write_text(example)
        temporary = "".join(
            f"{what}_temp_path {self.folder}/{what};" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"user {getpass.getuser()}; pid {self.folder}/pid; daemon off; events {{}} http {{ {temporary}"
            f" access_log {self.folder}/access.log; include {self.folder}/omnicrm.conf; }}"
        )
        return [str(NGINX), "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf"]


@pytest.fixture
def proxy(tmp_path: Path) -> Proxy:
    made = Proxy(tmp_path / "nginx")
    made.folder.mkdir()
    made.certify()
    return made


@dataclass(frozen=True)
class Site:
    """A server that believes the proxy before it, and the proxy."""

    proxy: Proxy
    plain: int
    tls: int

    def ask(self, method: str, path: str, *, caller: str = CALLER, plain: bool = False, **more: Any) -> httpx.Response:
        """Call as somebody at an address of loopback does who looks the name up and knows the certificate."""
        trust = ssl.create_default_context(cafile=str(self.proxy.certificate))
        where = f"http://{HERE}:{self.plain}" if plain else f"https://{HERE}:{self.tls}"
        headers = {"Host": NAME, "X-Forwarded-For": SOMEBODY_ELSE, **more.pop("headers", {})}
        transport = httpx.HTTPTransport(verify=trust, local_address=caller)
        with httpx.Client(transport=transport, timeout=60) as client:
            return client.request(method, where + path, headers=headers, extensions={"sni_hostname": NAME}, **more)


@pytest.fixture
def site(house: House, proxy: Proxy) -> Iterator[Site]:
    keys = {KEY: {"roles": ["admin"], "ips": [CALLER], "description": "who calls through the proxy"}}
    house.configure(api_keys=keys, api={"trusted_proxies": [HERE]})
    _server, client = house.serve()
    made = Site(proxy, _free_port(), _free_port())
    argv = proxy.configure(
        **{
            f"server {HERE}:5000": f"server {HERE}:{client.base_url.port}",
            "listen 80": f"listen {HERE}:{made.plain}",
            "listen [::]:80": "",
            "listen 443 ssl http2": f"listen {HERE}:{made.tls} ssl http2",
            "listen [::]:443 ssl http2": "",
        }
    )
    running = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: running.poll() is not None or _listens(made.tls), "nginx")
        assert running.poll() is None, running.communicate()[1]
        yield made
    finally:
        running.terminate()
        running.communicate(timeout=20)


def _free_port() -> int:
    with closing(socket.create_server((HERE, 0))) as listener:
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex((HERE, port)) == 0


@pytest.mark.req("PLT-582")
def test_nginx_finds_no_fault_in_the_example_as_it_is_shipped(proxy: Proxy) -> None:
    """Its ports too: in a network of its own they are free."""
    done = subprocess.run([*OFFLINE, *proxy.configure(), "-t"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.req("PLT-582")
def test_a_caller_comes_through_tls_as_who_they_are(site: Site) -> None:
    """The key is good from the caller's address alone: neither the proxy's nor the one that the caller claims."""
    made = site.ask("POST", "/crm/customer", headers={"X-API-KEY": KEY}, json={"customer_name": "Ada"})
    assert (made.status_code, made.json()["customer_name"]) == (200, "Ada")
    assert made.headers["strict-transport-security"] == "max-age=31536000"
    assert site.ask("GET", "/crm/customer", headers={"X-API-KEY": KEY}, caller="127.0.0.3").status_code in (401, 403)
    led = site.ask("GET", "/crm/customer?page=2", plain=True)
    assert (led.status_code, led.headers["location"]) == (308, f"https://{NAME}/crm/customer?page=2")


@pytest.mark.req("PLT-582")
def test_what_the_proxy_keeps_back(site: Site) -> None:
    assert site.ask("GET", "/crm/metrics", headers={"X-API-KEY": KEY}).status_code == 403
    answers = [site.ask("POST", "/crm/auth/login", json={}) for _ in range(30)]
    refused = [answer for answer in answers if "nginx" in answer.text]
    assert answers[0].status_code == 400
    assert {answer.status_code for answer in refused} == {429}
    assert site.ask("GET", "/crm/reset-password/s3cret-c0de").headers["server"]
    log = (site.proxy.folder / "access.log").read_text()
    assert "/crm/auth/login" in log
    assert "s3cret-c0de" not in log
