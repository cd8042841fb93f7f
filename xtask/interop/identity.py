#!/usr/bin/env python3
"""Requests before pyca/cryptography, tokens before pycose and cwt.

usage: identity.py FOLDER    (of NAME.csr, NAME.spki and NAME.token, as `cargo xtask interop` writes them)

Writes NAME.pem, the public key, for the verifier that comes next. Exit status 0 when all is accepted that should be,
and nothing else.
"""

import hashlib
import sys
from pathlib import Path

import cbor2
import cwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import NameOID
from pycose.keys import EC2Key, OKPKey
from pycose.keys.curves import P256, Ed25519
from pycose.messages import Sign1Message

FOLDER = Path(sys.argv[1])
requests = accepted = refused = 0

for path in sorted(FOLDER.glob("*.csr")):
    number = int(path.stem.split("-")[1])
    spki = path.with_suffix(".spki").read_bytes()
    request = x509.load_der_x509_csr(path.read_bytes())
    assert request.is_signature_valid, path
    form = PublicFormat.SubjectPublicKeyInfo
    assert request.public_key().public_bytes(Encoding.DER, form) == spki, path
    names = {NameOID.SERIAL_NUMBER: f"LAMP-{number:04}"}
    if number % 2 == 0:
        names[NameOID.COMMON_NAME] = f"Lampe № {number}"
    if number % 3 == 0:
        names[NameOID.ORGANIZATION_NAME] = "O" * 64
    assert {part.oid: part.value for part in request.subject} == names, request.subject
    assert len(request.attributes) == 0
    requests += 1

    public = load_der_public_key(spki)
    pem = public.public_bytes(Encoding.PEM, form)
    path.with_suffix(".pem").write_bytes(pem)
    if isinstance(public, ec.EllipticCurvePublicKey):
        raw = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        key, algorithm, profile = EC2Key(crv=P256, x=raw[1:33], y=raw[33:]), "ES256", "tfm"
    else:
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        key, algorithm, profile = OKPKey(crv=Ed25519, x=raw), "EdDSA", "iotsec-ed25519"
    token = path.with_suffix(".token").read_bytes()

    def by_pycose(token):
        message = Sign1Message.decode(token)
        message.key = key
        return message.verify_signature() and cbor2.loads(message.payload)

    def by_cwt(token):
        return cwt.COSE.new(alg_auto_inclusion=False).decode(token, keys=cwt.COSEKey.from_pem(pem, alg=algorithm))

    claims = by_pycose(token)
    assert cbor2.loads(by_cwt(token)) == claims
    expected = {
        10: b"\xA5" * 32,
        256: b"\x01" + hashlib.sha256(raw).digest(),
        265: f"tag:psacertified.org,2023:psa#{profile}",
        268: b"\x5A" * 32,
        2394: number - 4,
        2395: 0x3000 + number,
        2396: b"\x09" * 32,
        2397: b"\x5A" * 32,
        2399: [
            {1: "App", 2: bytes([number]) * 32, 4: "1.4.2", 5: b"\x03" * 32, 6: "sha-256"},
            {1: "SUIT", 2: b"\x04" * 32, 4: "42", 5: b"\x03" * 32, 6: "sha-256"},
            # Of the product manifest: configuration of the application.
            {1: "App_CONFIG", 2: b"\x06" * 32, 4: "1.4.2", 5: b"\x03" * 32, 6: "sha-256"},
        ],
    }
    if number % 2 == 0:
        expected[2398] = "0604565272829-10010"
    if number % 3 == 0:
        expected[2400] = "https://verifier.example/"
    assert claims == expected, claims
    # One encoding, the deterministic one.
    assert cbor2.dumps(claims, canonical=True) == Sign1Message.decode(token).payload
    accepted += 1
    for at in range(0, len(token), 7):
        changed = token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]
        for verify in (by_pycose, by_cwt):
            try:
                assert not verify(changed), (path, at)
            except AssertionError:
                raise
            except Exception:
                refused += 1

print(f"identity: cryptography accepts {requests} requests; pycose and cwt accept {accepted} tokens, "
      f"and refuse {refused} changed ones")
