#!/usr/bin/env python3
"""Makes vectors/crypto/hss_lms.json and ml_dsa_44.json with pyhsslms and cryptography (OpenSSL).

The two cases of RFC 8554 Appendix F stay as they stand in the file. ML-DSA signatures are randomised, so one
that is there already and verifies is kept: making everything anew changes no byte.
"""

import hashlib
import json
import pathlib
import sys

import pyhsslms
import pyhsslms.pyhsslms as lms
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa

CRYPTO = pathlib.Path(__file__).resolve().parent.parent / "crypto"


def seed(name, length=32):
    """Public knowledge, and never for a product."""
    return hashlib.shake_256(f"iotsec test vector key {name}".encode()).digest(length)


def predictable(name):
    """Gives pyhsslms the same randomness every time."""
    drawn = iter(range(1 << 30))
    lms.randBytes = lambda length: seed(f"{name} {next(drawn)}", length)


def hss_key(name, levels=1, height="h5", width="w8"):
    predictable(name)
    return pyhsslms.HssPrivateKey(
        levels=levels,
        lms_type=getattr(pyhsslms, f"lms_sha256_m32_{height}"),
        lmots_type=getattr(pyhsslms, f"lmots_sha256_n32_{width}"),
    )


def hss_cases(kept):
    yield from (case for case in kept if case["comment"].startswith("RFC 8554"))
    message = b"a message of the maker"
    for levels, height, width, skip in [
        (1, "h5", "w8", 0), (1, "h5", "w8", 31), (1, "h5", "w4", 3), (1, "h5", "w2", 7), (1, "h5", "w1", 16),
        (3, "h5", "w8", 40), (1, "h10", "w8", 513),
    ]:
        key = hss_key(f"{levels} {height} {width} {skip}", levels, height, width)
        for _ in range(skip):
            if levels == 1:
                key.prv[0].q += 1
            else:
                key.sign(b"another message")
        signature = key.sign(message)
        public = key.publicKey()
        assert pyhsslms.HssPublicKey.deserialize(public.serialize()).verify(message, signature)
        yield {
            "comment": f"{levels} level(s), {height.upper()}, {width.upper()}, signature {skip}",
            "public_key": public.serialize().hex(),
            "message": message.hex(),
            "signature": signature.hex(),
        }


def ml_dsa_44(name):
    return mldsa.MLDSA44PrivateKey.from_seed_bytes(seed(name))


def verifies(public, signature, message, context=None):
    try:
        public.verify(signature, message, context)
        return True
    except InvalidSignature:
        return False


def ml_dsa_cases(kept):
    by_comment = {case["comment"]: case for case in kept}
    for comment, name, message, context in [
        ("no bytes", "mldsa44_1", b"", None),
        ("some bytes", "mldsa44_2", b"a message of the maker", None),
        ("many bytes", "mldsa44_3", bytes(range(256)) * 4, None),
        ("a context, which COSE has not", "mldsa44_1", b"a message of the maker", b"context"),
    ]:
        key = ml_dsa_44(name)
        signature = bytes.fromhex(by_comment.get(comment, {}).get("signature", ""))
        if not verifies(key.public_key(), signature, message, context):
            signature = key.sign(message, context)
        yield {
            "comment": comment,
            "result": "invalid" if context else "valid",
            "public_key": key.public_key().public_bytes_raw().hex(),
            "message": message.hex(),
            "signature": signature.hex(),
        }


def write(name, source, cases):
    path = CRYPTO / name
    kept = json.loads(path.read_text())["cases"] if path.exists() else []
    content = {"source": source, "cases": list(cases(kept))}
    path.write_text(json.dumps(content, indent=1) + "\n")


def main():
    write("hss_lms.json", "RFC 8554 Appendix F, and pyhsslms 2.0.0", hss_cases)
    write("ml_dsa_44.json", "OpenSSL through cryptography, FIPS 204", ml_dsa_cases)


if __name__ == "__main__":
    sys.exit(main())
