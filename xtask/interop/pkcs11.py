#!/usr/bin/env python3
"""Signing with keys that were made in a token and never leave it.

usage: pkcs11.py path/to/iotsec    (needs softhsm2-util and pkcs11-tool)

Through pkcs11-tool as a signer elsewhere, and by `iotsec` itself. Exit status 0 when every envelope verifies.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

IOTSEC = Path(sys.argv[1]).resolve()
WORK = Path(tempfile.mkdtemp())
LIBRARIES = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
             "/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"]
MODULE = next(path for path in LIBRARIES if os.path.exists(path))
PIN = "123456"
# What the token calls it.
KINDS = {"p256": "EC:prime256v1", "ed25519": "EC:edwards25519"}
cases = 0

(WORK / "tokens").mkdir()
(WORK / "softhsm2.conf").write_text(f"directories.tokendir = {WORK}/tokens\nobjectstore.backend = file\n")
os.environ |= {"SOFTHSM2_CONF": str(WORK / "softhsm2.conf"), "IOTSEC_PKCS11_PIN": PIN}


def run(*arguments):
    result = subprocess.run(list(map(str, arguments)), capture_output=True, text=True)
    assert result.returncode == 0, (arguments, result.stdout, result.stderr)
    return result.stdout


def token(*arguments):
    return run("pkcs11-tool", "--module", MODULE, "--token-label", "iotsec", "--login", "--pin", PIN, *arguments)


run("softhsm2-util", "--init-token", "--free", "--label", "iotsec", "--pin", PIN, "--so-pin", PIN)
(WORK / "payload").write_bytes(bytes(range(256)) * 4)
DEVICE = ["--vendor-domain", "iotsec.example", "--model", "sensor-rev-b"]
run(IOTSEC, "update", "create", *DEVICE, "--sequence", 11, "--payload", WORK / "payload", "--uri",
    "https://fw.iotsec.example/app.bin", "--unsigned", "--out", WORK / "unsigned.suit")

for number, (kind, made) in enumerate(KINDS.items(), 1):
    token("--keypairgen", "--key-type", made, "--label", kind, "--id", f"0{number}")
    public = WORK / f"{kind}.spki"
    token("--read-object", "--type", "pubkey", "--label", kind, "--output-file", public)
    trusted = WORK / f"{kind}.pub"
    run(IOTSEC, "key", "import", public, trusted)

    def verify(envelope):
        global cases
        run(IOTSEC, "update", "verify", "--key", trusted, *DEVICE, "--installed", 10, "--payload", WORK / "payload",
            envelope)
        cases += 1

    # pkcs11-tool signs in pieces, which tokens do not do with Ed25519: it needs the whole message at once.
    if kind == "p256":
        vector, signature, elsewhere = [WORK / f"{kind}.{end}" for end in ("vector", "signature", "elsewhere.suit")]
        run(IOTSEC, "update", "sign", WORK / "unsigned.suit", "--vector-to-sign", vector, "--kind", kind)
        # ECDSA in a token takes a digest.
        vector.write_bytes(hashlib.sha256(vector.read_bytes()).digest())
        token("--sign", "--mechanism", "ECDSA", "--label", kind, "--input-file", vector, "--output-file", signature)
        run(IOTSEC, "update", "sign", WORK / "unsigned.suit", "--signature", signature, "--public", trusted, "--out",
            elsewhere)
        verify(elsewhere)

    inside = WORK / f"{kind}.inside.suit"
    run(IOTSEC, "update", "sign", WORK / "unsigned.suit", "--pkcs11-module", MODULE, "--pkcs11-token", "iotsec",
        "--pkcs11-key", kind, "--out", inside)
    verify(inside)
print(f"PKCS #11: {cases} envelopes signed in a token verify")
