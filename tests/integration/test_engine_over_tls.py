"""TLS: certificates are verified, never by default not; with trust everything works as without."""

import shutil
import subprocess

import pytest

from tests.integration.locust_engine import engine, samples, server, trial

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of its own authority for 127.0.0.1, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, whole = folder / "key.pem", folder / "whole.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=octopus test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", whole],
        check=True, capture_output=True,
    )  # fmt: skip
    trusted = folder / "trusted.pem"
    trusted.write_bytes(whole.read_bytes())
    with whole.open("ab") as file:
        file.write(key.read_bytes())
    return whole, trusted


def test_a_certificate_that_is_not_trusted_is_refused(tmp_path, certificate):
    """The trial does not begin, and the message says what to do."""
    with server("--certificate", str(certificate[0])) as (url, _), engine(tmp_path) as running:
        event = running.run(**trial(tmp_path, url))
    assert event["event"] == "failed"
    assert "not trusted" in event["message"]
    assert "SSL_CERT_FILE" in event["cure"]


def test_a_trusted_certificate_carries_a_whole_trial(tmp_path, certificate):
    """Planned is sent is recorded over TLS, bodies included."""
    whole, trusted = certificate
    with (
        server("--certificate", str(whole)) as (url, _),
        engine(tmp_path, SSL_CERT_FILE=str(trusted)) as running,
    ):
        facts = running.run(**trial(tmp_path, url))
    assert facts["event"] == "finished", facts
    assert {name: facts["sent"][name] for name in facts["planned"]} == facts["planned"]
    rows = samples(tmp_path)
    assert facts["recorded"] == facts["counted"] == len(rows["sent"])
    assert set(rows["error"]) <= {"", "HTTP 404"}
    assert facts["sent"]["task"] == facts["sent"]["create-release"]
