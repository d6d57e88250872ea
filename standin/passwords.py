"""Passwords: kept as salted scrypt hashes only."""

import hashlib
import hmac
import secrets

#: cost, block size and parallelism of scrypt: 16 MB and some 40 ms a hash
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1


def hash_password(password: str) -> str:
    """Return what is kept of a password: salt and hash, in hex."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_scrypt(password, salt).hex()}"


def is_password(password: str, kept: str) -> bool:
    """Say whether `kept` was made of this password."""
    salt, _, expected = kept.partition(":")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL)
