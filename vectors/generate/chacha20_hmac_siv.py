#!/usr/bin/env python3
"""Makes vectors/crypto/chacha20hmacsiv.json with Python's hmac and ChaCha20 of cryptography (OpenSSL).

Written from the description of the cipher in iotsec-store/FORMAT.md. Making everything anew changes no byte.
"""

import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

FILE = pathlib.Path(__file__).resolve().parent.parent / "crypto" / "chacha20hmacsiv.json"


def seed(name, length):
    """Public knowledge, and never for a product."""
    return hashlib.shake_256(f"iotsec test vector {name}".encode()).digest(length)


def prf(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def tag_of(key, nonce, aad, text):
    return prf(key, b"iotsec/siv/tag/1" + nonce + struct.pack("<Q", len(aad)) + aad + text)[:16]


def stream(key, tag, text):
    # OpenSSL takes the counter, 4 bytes, and the nonce, 12, as one.
    cipher = Cipher(algorithms.ChaCha20(prf(key, b"iotsec/siv/key/1" + tag), bytes(16)), mode=None)
    return cipher.encryptor().update(text)


def seal(key, nonce, aad, text):
    tag = tag_of(key, nonce, aad, text)
    return stream(key, tag, text), tag


def open_(key, nonce, aad, sealed, tag):
    text = stream(key, tag, sealed)
    return text if hmac.compare_digest(tag_of(key, nonce, aad, text), tag) else None


def cases():
    lengths = [
        ("nothing at all", 0, 0), ("associated data alone", 20, 0), ("one byte", 0, 1), ("15 bytes", 3, 15),
        ("32 bytes, a record of the store", 44, 32), ("one byte less than a block", 0, 63), ("a block", 0, 64),
        ("one byte more than a block", 5, 65), ("two blocks", 64, 128), ("two blocks and a byte", 65, 129),
        ("two blocks of the hash to the end", 12, 80), ("long associated data", 300, 16), ("400 bytes", 44, 400),
    ]
    for comment, aad, text in lengths:
        yield comment, seed(f"{comment} key", 32), seed(f"{comment} nonce", 12), seed(f"{comment} aad", aad), seed(
            f"{comment} text", text
        )
    key, text = seed("zeros", 32), bytes(48)
    yield "zeros", key, bytes(12), bytes(12), text
    yield "the same with the zeros elsewhere: associated data", key, bytes(12), bytes(11), bytes(49)
    yield "the same with the zeros elsewhere: text", key, bytes(12), bytes(13), bytes(47)
    yield "a key of zeros", bytes(32), bytes(12), b"", text


def main():
    made = []
    for comment, key, nonce, aad, text in cases():
        sealed, tag = seal(key, nonce, aad, text)
        assert open_(key, nonce, aad, sealed, tag) == text
        assert open_(key, nonce, aad + b"\0", sealed, tag) is None
        made.append({
            "comment": comment,
            "key": key.hex(),
            "nonce": nonce.hex(),
            "aad": aad.hex(),
            "plaintext": text.hex(),
            "ciphertext": sealed.hex(),
            "tag": tag.hex(),
        })
    source = "vectors/generate/chacha20_hmac_siv.py, from the description in iotsec-store/FORMAT.md"
    FILE.write_text(json.dumps({"source": source, "cases": made}, indent=1) + "\n")


if __name__ == "__main__":
    main()
