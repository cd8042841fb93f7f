"""Writes request.json: certification requests and certificates as pyca/cryptography makes them.

Run with `cryptography` 50.0.2 in a virtual environment. Ed25519 signatures are deterministic, so a request must be
equal byte for byte; of a P-256 request the part that is signed must be.
"""

import datetime
import json
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

SUBJECTS = [
    {"serial": "LAMP-0042"},
    {"serial": "A" * 64, "common_name": "é" * 32, "organization": "O" * 64},
    {"serial": "0", "common_name": "Lampe № 2"},
    {"serial": "x.y:z/1", "organization": "Example Ltd"},
]


def name_of(subject):
    parts = []
    if "organization" in subject:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, subject["organization"]))
    if "common_name" in subject:
        parts.append(x509.NameAttribute(NameOID.COMMON_NAME, subject["common_name"]))
    parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, subject["serial"]))
    return x509.Name(parts)


def main():
    der = serialization.Encoding.DER
    cases, certificates = [], []
    for number, subject in enumerate(SUBJECTS, 1):
        seed = bytes([number]) * 32
        keys = {
            "Ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(seed),
            "P-256": ec.derive_private_key(int.from_bytes(seed), ec.SECP256R1()),
        }
        for kind, key in keys.items():
            algorithm = None if kind == "Ed25519" else hashes.SHA256()
            request = x509.CertificateSigningRequestBuilder().subject_name(name_of(subject)).sign(key, algorithm)
            case = {"key": kind, "secret": seed.hex(), "subject": subject}
            if kind == "Ed25519":
                case["request"] = request.public_bytes(der).hex()
            case["info"] = request.tbs_certrequest_bytes.hex()
            spki = key.public_key().public_bytes(der, serialization.PublicFormat.SubjectPublicKeyInfo)
            case["spki"] = spki.hex()
            cases.append(case)
            certificate = (
                x509.CertificateBuilder()
                .subject_name(name_of(subject))
                .issuer_name(name_of({"serial": "CA", "common_name": "Example CA"}))
                .public_key(key.public_key())
                .serial_number(0x8001 + number)
                .not_valid_before(datetime.datetime(2026, 1, 1))
                .not_valid_after(datetime.datetime(9999, 12, 31, 23, 59, 59))
                .add_extension(x509.BasicConstraints(False, None), True)
                .sign(keys["Ed25519"], None)
            )
            certificates.append({"certificate": certificate.public_bytes(der).hex(), "spki": spki.hex()})
    out = pathlib.Path(__file__).parent / "request.json"
    out.write_text(json.dumps({"requests": cases, "certificates": certificates}, indent=1) + "\n")


main()
