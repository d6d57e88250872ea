"""nginx as the target of generators: static pages of known size, and its own count of requests."""

import contextlib
import getpass
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

#: Bytes of the small and the large page: an Octopus resource, and a dashboard of 30 projects.
SMALL, LARGE = 2_161, 63_542

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600; default_type application/json;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  sendfile on; tcp_nopush on; open_file_cache max=100;
  server {{ listen 127.0.0.1:{ports[small]} backlog=4096; location = /status {{ stub_status; }} {octopus}
    location / {{ if ($request_method = POST) {{ return 201 '{{"Id":"Releases-1"}}'; }}
                  root {folder}; try_files /small.json =404; }} }}
  server {{ listen 127.0.0.1:{ports[large]} backlog=4096; {octopus}
    location / {{ root {folder}; try_files /large.json =404; }} }}
  {tls}
}}
"""
TLS = """server {{ listen 127.0.0.1:{ports[tls]} ssl backlog=4096; {octopus}
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.3;
    location / {{ root {folder}; try_files /small.json =404; }} }}"""
OCTOPUS = """location = /api {{ return 200 '{root}'; }} location = /api/users/me {{ return 200 '{{}}'; }}
    location = /api/spaces/all {{ return 200 '[{{"Id":"Spaces-1","Name":"Load","IsDefault":true}}]'; }}"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running server."""

    #: Base URLs of the small page, the large page and, where openssl is there, the small page over TLS.
    urls: dict[str, str]
    #: The certificate to trust.
    certificate: Path
    version: str

    def requests(self) -> int:
        """Return how many requests nginx has answered since its start, this one included."""
        text = httpx.get(f"{self.urls['small']}/status", trust_env=False).text
        match = re.search(r"\n\s*\d+ \d+ (\d+)", text)
        assert match, text
        return int(match[1])


@contextlib.contextmanager
def running(folder: Path, core: int | None) -> Iterator[Nginx]:
    """Start nginx on one core; it ends with the context."""
    ports = dict(zip(("small", "large", "tls"), free_ports(3), strict=True))
    secure = make_certificate(folder)
    write(folder, ports, secure=secure)
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        urls = {name: f"http{'s' if name == 'tls' else ''}://127.0.0.1:{port}" for name, port in ports.items()}
        if not secure:
            del urls["tls"]
        wait_until_up(ports["small"])
        for each in (psutil.Process(process.pid), *psutil.Process(process.pid).children()):
            if core is not None:
                each.cpu_affinity([core])
        said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
        yield Nginx(urls, folder / "cert.pem", said.strip().rpartition("/")[2])
    finally:
        process.terminate()
        process.wait()


def write(folder: Path, ports: dict[str, int], *, secure: bool) -> None:
    """Write pages and configuration."""
    for name, size in (("small", SMALL), ("large", LARGE)):
        (folder / f"{name}.json").write_text(json.dumps({"Items": "x" * (size - 13)}))
    octopus = OCTOPUS.format(root=json.dumps({"Application": "Octopus Deploy", "Version": "2026.3.1"}))
    names = {"folder": folder, "ports": ports, "octopus": octopus}
    user = "user root;" if getpass.getuser() == "root" else ""
    tls = TLS.format(**names) if secure else ""
    (folder / "nginx.conf").write_text(CONFIGURATION.format(**names, tls=tls, user=user))


def make_certificate(folder: Path) -> bool:
    """Make a certificate for 127.0.0.1; False without openssl."""
    if shutil.which("openssl") is None:
        return False
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=benchmark", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return True


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until_up(port: int) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
