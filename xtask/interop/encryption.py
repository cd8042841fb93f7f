#!/usr/bin/env python3
"""Encrypted payloads between `iotsec` and an independent implementation, in both directions.

usage: encryption.py path/to/iotsec    (needs cbor2 and cryptography)

Written from draft-ietf-suit-firmware-encryption, RFC 9052 and RFC 9053. Exit status 0 when every case agrees.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

# Name on the command line: COSE number, bytes of key and IV.
CIPHERS = {
    "a128ctr": (-65534, 16, 16),
    "a256ctr": (-65532, 32, 16),
    "a128gcm": (1, 16, 12),
    "chacha20poly1305": (24, 32, 12),
}
CURVES = {"x25519": (1, 4), "p256-ecdh": (2, 1)}
ECDH_ES_A128KW = -29


def encode(value):
    return cbor2.dumps(value, canonical=True)


class Key:
    """A key on one of the two curves."""

    def __init__(self, kind, secret):
        self.kind = kind
        if kind == "x25519":
            self.private = x25519.X25519PrivateKey.from_private_bytes(secret)
            self.parameters = {-2: self.private.public_key().public_bytes_raw()}
        else:
            self.private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
            numbers = self.private.public_key().public_numbers()
            self.parameters = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def ephemeral(self):
        kty, curve = CURVES[self.kind]
        return {1: kty, -1: curve, **self.parameters}

    def agree(self, peer):
        if peer[-1] == CURVES["x25519"][1]:
            return self.private.exchange(x25519.X25519PublicKey.from_public_bytes(peer[-2]))
        point = ec.EllipticCurvePublicNumbers(
            int.from_bytes(peer[-2], "big"), int.from_bytes(peer[-3], "big"), ec.SECP256R1()
        )
        return self.private.exchange(ec.ECDH(), point.public_key())


def key_encryption_key(shared, protected, salt):
    nobody = [None, None, None]
    context = encode([-3, nobody, nobody, [128, protected, b"SUIT Payload Encryption"]])
    return HKDF(hashes.SHA256(), 16, salt, context).derive(shared)


def counter_mode(key, iv, data):
    cipher = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


def decrypt(info, payload, key):
    tag = cbor2.loads(info)
    assert tag.tag == 96 and encode(tag) == info, "deterministic, with its tag"
    protected, unprotected, ciphertext, recipients = tag.value
    assert ciphertext is None
    algorithm = cbor2.loads(protected)[1] if protected else unprotected[1]
    for recipient_protected, header, wrapped in recipients:
        assert cbor2.loads(recipient_protected) == {1: ECDH_ES_A128KW}
        if header[-1][-1] != CURVES[key.kind][1]:
            continue
        kek = key_encryption_key(key.agree(header[-1]), recipient_protected, header.get(-20))
        content_key = aes_key_unwrap(kek, wrapped)
        iv = unprotected[5]
        if algorithm < -1000:
            return counter_mode(content_key, iv, payload)
        cipher = AESGCM if algorithm == 1 else ChaCha20Poly1305
        return cipher(content_key).decrypt(iv, payload, encode(["Encrypt", protected, b""]))
    raise AssertionError("no recipient")


def encrypt(alg, content, peer, kind, salt):
    algorithm, key_len, iv_len = CIPHERS[alg]
    content_key, iv = os.urandom(key_len), os.urandom(iv_len)
    if algorithm < -1000:
        protected, unprotected = b"", {1: algorithm, 5: iv}
        payload = counter_mode(content_key, iv, content)
    else:
        protected, unprotected = encode({1: algorithm}), {5: iv}
        cipher = AESGCM if algorithm == 1 else ChaCha20Poly1305
        payload = cipher(content_key).encrypt(iv, content, encode(["Encrypt", protected, b""]))
    ephemeral = Key(kind, hashlib.sha256(os.urandom(32)).digest())
    recipient_protected = encode({1: ECDH_ES_A128KW})
    header = {-1: ephemeral.ephemeral()}
    if salt:
        header[-20] = salt
    kek = key_encryption_key(ephemeral.agree(peer), recipient_protected, salt)
    recipient = [recipient_protected, header, aes_key_wrap(kek, content_key)]
    return encode(cbor2.CBORTag(96, [protected, unprotected, None, [recipient]])), payload


def main():
    iotsec = Path(sys.argv[1]).resolve()

    def run(*words):
        subprocess.run([iotsec, *words], check=True, stdout=subprocess.DEVNULL, cwd=work)

    agreed = 0
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        keys = {}
        for kind in CURVES:
            run("key", "new", kind, "--kind", kind)
            file = cbor2.loads((work / kind).read_bytes())
            assert file[3] == ECDH_ES_A128KW and (file[1], file[-1]) == CURVES[kind]
            keys[kind] = Key(kind, file[-4])
            assert {label: file[label] for label in keys[kind].parameters} == keys[kind].parameters
        recipients = [word for kind in CURVES for word in ("--recipient", f"{kind}.pub")]
        for alg in CIPHERS:
            for size in (0, 1, 16, 1000, 65537):
                name = f"{alg}-{size}"
                content = os.urandom(size)
                (work / name).write_bytes(content)
                run("update", "encrypt", *recipients, "--alg", alg, "--in", name,
                    "--out", f"{name}.ours", "--info", f"{name}.ours.info")
                info = (work / f"{name}.ours.info").read_bytes()
                payload = (work / f"{name}.ours").read_bytes()
                for kind, key in keys.items():
                    assert decrypt(info, payload, key) == content, name
                    theirs = f"{name}.{kind}"
                    for salt in (None, os.urandom(16)):
                        peer = key.ephemeral()
                        info_made, payload_made = encrypt(alg, content, peer, kind, salt)
                        (work / f"{theirs}.info").write_bytes(info_made)
                        (work / theirs).write_bytes(payload_made)
                        out = work / f"{theirs}.out"
                        out.unlink(missing_ok=True)
                        run("update", "decrypt", "--key", kind, "--info", f"{theirs}.info",
                            "--in", theirs, "--out", out.name)
                        assert out.read_bytes() == content, theirs
                        agreed += 1
                    agreed += 1
                if alg in ("a128gcm", "chacha20poly1305"):
                    changed = bytes([payload[0] ^ 1]) + payload[1:]
                    try:
                        decrypt(info, changed, keys["x25519"])
                        raise AssertionError("a changed payload opens")
                    except InvalidTag:
                        agreed += 1
    print(f"encrypted payloads: {agreed} agree")


if __name__ == "__main__":
    main()
