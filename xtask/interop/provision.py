#!/usr/bin/env python3
"""A factory batch of `iotsec`, read by an independent implementation.

usage: provision.py path/to/iotsec    (needs cbor2 and cryptography)

Signatures, sealed files and device keys are checked from the description in iotsec-cli/README.md, and the
figures over the passwords are computed here anew. Exit status 0 when everything agrees.
"""

import hashlib
import io
import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID
from encryption import Key, decrypt, encode

UNITS = 20_000
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PRODUCT = """
[product]
name = "Lamp"
model = "lamp-2"
vendor = "Example Lighting Ltd"
[serial]
prefix = "L2-"
[credential]
setup-code = true
"""


def verify(key, message, context, detached=None):
    assert message.tag == 18
    protected, unprotected, payload, signature = message.value
    assert cbor2.loads(protected)[1] == -19, "Ed25519 (RFC 9864)"
    payload = detached if payload is None else payload
    key.verify(signature, encode(["Signature1", protected, context, payload]))
    return payload


def entries(path, key):
    bytes_ = path.read_bytes()
    stream = io.BytesIO(bytes_)
    found = []
    while stream.tell() < len(bytes_):
        start = stream.tell()
        message = cbor2.load(stream)
        assert encode(message) == bytes_[start : stream.tell()], "deterministic"
        found.append(cbor2.loads(verify(key, message, b"iotsec/provision/entry/v1")))
    return found


def sealed(path, recipient, key):
    stream = io.BytesIO(path.read_bytes())
    assert stream.read(8) == b"iotsecS1"
    lines = []
    while lengths := stream.read(12):
        signature, info, content = (
            stream.read(int.from_bytes(lengths[at : at + 4], "big")) for at in (0, 4, 8)
        )
        digest = hashlib.sha256(info + content).digest()
        verify(key, cbor2.loads(signature), b"iotsec/provision/sealed/v1", digest)
        head, *units = decrypt(info, content, recipient).decode().splitlines()
        assert head.split(",")[1:] == [path.name, str(len(lines) + 1)], head
        lines += units
    return [line.split(",") for line in lines]


def chi_squared(column, cells):
    counts = Counter(column)
    expected = len(column) / cells
    return sum((counts[cell] - expected) ** 2 / expected for cell in range(cells))


def z(chi, freedom):
    spread = 2 / (9 * freedom)
    return ((chi / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)


def main():
    iotsec = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "iotsec.toml").write_text(PRODUCT)

        def run(*arguments):
            done = subprocess.run([iotsec, *arguments], cwd=folder, check=True, capture_output=True)
            return done.stdout

        run("ca", "init", "--organization", "Example Lighting Ltd", "--kind", "p256")
        run("provision", "batch", "--manifest", "iotsec.toml", "--count", str(UNITS), "--out", "b", "--plain-labels")
        report = json.loads(run("provision", "verify", "b", "--json"))
        key = ed25519.Ed25519PublicKey.from_public_bytes(cbor2.loads((folder / "b/signer.pub").read_bytes())[-2])
        found = entries(folder / "b/manifest.cbor", key)
        assert [entry["unit"] for entry in found] == list(range(1, UNITS + 1))
        print(f"manifest: {UNITS} COSE_Sign1 entries verify with cryptography, all deterministic")

        stranger = ed25519.Ed25519PrivateKey.generate().public_key()
        try:
            entries(folder / "b/manifest.cbor", stranger)
            raise AssertionError("verified with a stranger's key")
        except InvalidSignature:
            pass

        recipient = cbor2.loads((folder / "station/recipient.key").read_bytes())
        recipient = Key("x25519", recipient[-4])
        labels = sealed(folder / "b/labels.sealed", recipient, key)
        devices = sealed(folder / "b/devices.sealed", recipient, key)
        plain = (folder / "b/labels.csv").read_text().splitlines()[1:]
        assert labels == [line.split(",") for line in plain]
        assert [device[:3] for device in devices] == labels
        authority = x509.load_pem_x509_certificate((folder / "station/ca.crt").read_bytes())
        authority.verify_directly_issued_by(authority)
        numbers = set()
        for entry, device in zip(found, devices):
            private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(device[3]))
            assert private.public_key().public_bytes_raw().hex() == entry["device_key"]
            assert device[0] == entry["serial"]
            der = bytes.fromhex(device[4])
            assert hashlib.sha256(der).hexdigest() == entry["certificate"]
            certificate = x509.load_der_x509_certificate(der)
            certificate.verify_directly_issued_by(authority)
            names = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
            assert [name.value for name in names] == [device[0]]
            assert certificate.public_key() == private.public_key()
            assert certificate.not_valid_after_utc.isoformat() == "9999-12-31T23:59:59+00:00"
            assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
            numbers.add(certificate.serial_number)
        assert len(numbers) == UNITS
        print(f"sealed: {UNITS} labels and {UNITS} device seeds open, each seed is that of the entry's key")
        print(f"certificates: {UNITS} of device keys verify with cryptography under the station's authority")

        passwords = [label[1].replace("-", "")[:-1] for label in labels]
        assert len(set(passwords)) == UNITS and len({label[2] for label in labels}) == UNITS
        columns = [[ALPHABET.index(symbol) for symbol in column] for column in zip(*passwords)]
        worst = max(z(chi_squared(column, 32), 31) for column in columns)
        told = report["statistics"]["passwords"]["uniformity_z"]
        assert abs(worst - told) < 1e-6, (worst, told)
        assert worst < 7
        print(f"statistics: worst χ² of 12 positions has z {worst:.3f}, as `verify` says")


main()
