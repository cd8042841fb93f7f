"""Writes records of evidence from iotsec-evidence/FORMAT.md alone: `python3 make.py` in this folder.

Needs the packages cbor2 and cryptography.
"""

from hashlib import sha256
from pathlib import Path

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = Path(__file__).parent
SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
MANIFEST = b"""[product]
name = "Lamp"
model = "lamp-2"
vendor = "Example"

[serial]
prefix = "L-"
"""


def encode(value):
    return cbor2.dumps(value, canonical=True)


def sign(record, kid):
    payload = encode(record)
    protected = encode({1: -19})
    signed = encode(["Signature1", protected, b"iotsec evidence record 1", payload])
    unprotected = {} if kid is None else {4: kid}
    return encode(cbor2.CBORTag(18, [protected, unprotected, payload, KEY.sign(signed)]))


def record(subject, tests, functions):
    return {
        "version": 1,
        "subject": subject,
        "claims": sha256(b"claims of some version").digest(),
        "functions": functions,
        "programs": [{"package": "lamp", "target": "light", "sha256": sha256(b"program").digest()}],
        "tests": tests,
        "tools": {"iotsec": "0.1.0", "rustc": "rustc 1.95.0"},
        "time": [1_800_000_000, 1_800_000_060],
    }


component = sign(
    record({"component": {"version": "0.1.0"}}, {"lamp::light::is_on": "passed"}, {}),
    None,
)
product = sign(
    record(
        {
            "product": {
                "manifest": MANIFEST,
                "firmware": {
                    "name": "lamp.elf",
                    "bytes": 8,
                    "sha256": sha256(b"firmware").digest(),
                    "debugged": True,
                },
                "component": component,
            }
        },
        {
            "lamp::light::is_on": "passed",
            "lamp::light::is_off": "failed",
            "lamp::light::is_gone": "missing",
            "lamp::light::is_blue": {"skipped": "no blue lamp"},
            "lamp::light::is_slow": {"unfinished": "not within 600 seconds"},
        },
        {"lamp::Light::on": True, "lamp::Light::dim": False},
    ),
    b"maker-1",
)
(HERE / "component.cbor").write_bytes(component)
(HERE / "product.cbor").write_bytes(product)
(HERE / "public.bin").write_bytes(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
