#!/usr/bin/env python3
"""Envelopes between `iotsec` and nrfconnect/suit-generator, in both directions.

usage: suit_generator.py path/to/iotsec    (needs suit-generator on PYTHONPATH, with what it needs)

Exit status 0 when every case agrees.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cbor2
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

IOTSEC = Path(sys.argv[1]).resolve()
WORK = Path(tempfile.mkdtemp())
DEVICE = ["--vendor-domain", "iotsec.example", "--model", "sensor-rev-b"]
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"suit-generator").digest())


def run(*arguments):
    result = subprocess.run(list(map(str, arguments)), capture_output=True, text=True)
    assert result.returncode == 0, (arguments, result.stdout, result.stderr)
    return result.stdout


def generator(*arguments):
    return run(sys.executable, "-m", "suit_generator.cli", *arguments)


(WORK / "app.bin").write_bytes(bytes(range(256)) * 3)
(WORK / "key.pem").write_bytes(KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
run(IOTSEC, "key", "import", WORK / "key.pem", WORK / "key")

# Ours, taken apart by suit-generator.
run(IOTSEC, "update", "create", *DEVICE, "--sequence", 4711, "--payload", WORK / "app.bin", "--integrated", "--key",
    WORK / "key", "--out", WORK / "ours.suit")
generator("parse", "--input-file", WORK / "ours.suit", "--output-file", WORK / "ours.yaml")
parsed = yaml.safe_load((WORK / "ours.yaml").read_text())["SUIT_Envelope_Tagged"]["suit-manifest"]
assert parsed["suit-manifest-sequence-number"] == 4711, parsed
assert "suit-validate" in parsed and "suit-install" in parsed, parsed

# Theirs, judged by iotsec.
digest = {"suit-digest-algorithm-id": "cose-alg-sha-256", "suit-digest-bytes": {"file": str(WORK / "app.bin")}}
manifest = {
    "suit-manifest-version": 1,
    "suit-manifest-sequence-number": 9,
    "suit-common": {
        "suit-components": [[0]],
        "suit-shared-sequence": [
            {"suit-directive-override-parameters": {
                "suit-parameter-vendor-identifier": {"RFC4122_UUID": "iotsec.example"},
                "suit-parameter-class-identifier": {
                    "RFC4122_UUID": {"namespace": "iotsec.example", "name": "sensor-rev-b"}},
                "suit-parameter-image-digest": digest,
                "suit-parameter-image-size": {"file": str(WORK / "app.bin")},
            }},
            {"suit-condition-vendor-identifier": []},
            {"suit-condition-class-identifier": []},
        ],
    },
    "suit-validate": [{"suit-condition-image-match": []}],
    "suit-invoke": [{"suit-directive-invoke": []}],
    "suit-install": [
        {"suit-directive-override-parameters": {"suit-parameter-uri": "#app.bin"}},
        {"suit-directive-fetch": []},
        {"suit-condition-image-match": []},
    ],
}
(WORK / "theirs.json").write_text(json.dumps({"SUIT_Envelope_Tagged": {
    "suit-authentication-wrapper": {"SuitDigest": {
        "suit-digest-algorithm-id": "cose-alg-sha-256", "suit-digest-bytes": ""}},
    "suit-manifest": manifest,
    "suit-integrated-payloads": {"#app.bin": str(WORK / "app.bin")},
}}))
generator("create", "--input-file", WORK / "theirs.json", "--output-file", WORK / "theirs.suit")
# Its signing goes through scripts of its build system; the block is added here.
envelope = cbor2.loads((WORK / "theirs.suit").read_bytes())
signed, = cbor2.loads(envelope.value[2])
protected = cbor2.dumps({1: -8})
signature = KEY.sign(cbor2.dumps(["Signature1", protected, b"", signed]))
envelope.value[2] = cbor2.dumps([signed, cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, signature]))])
(WORK / "signed.suit").write_bytes(cbor2.dumps(envelope))
run(IOTSEC, "update", "verify", "--key", WORK / "key.pub", *DEVICE, "--installed", 8, WORK / "signed.suit")
print("suit-generator: 2 envelopes agree")
