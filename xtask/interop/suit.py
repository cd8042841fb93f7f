#!/usr/bin/env python3
"""SUIT envelopes between `iotsec` and an independent implementation, in both directions.

usage: suit.py path/to/iotsec    (needs cbor2 and cryptography)

Written from draft-ietf-suit-manifest-37 and RFC 9052. Exit status 0 when every case agrees.
"""

import hashlib
import random
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

VENDOR = uuid.uuid5(uuid.NAMESPACE_DNS, "iotsec.example")
CLASS = uuid.uuid5(VENDOR, "sensor-rev-b")
RNG = random.Random(37)
KINDS = {"ed25519": (-19, -8), "p256": (-9, -7)}
IOTSEC = Path(sys.argv[1]).resolve()
WORK = Path(tempfile.mkdtemp())
cases = 0


def iotsec(*arguments):
    return subprocess.run([IOTSEC, *map(str, arguments)], capture_output=True, text=True)


def done(result):
    assert result.returncode == 0, (result.args, result.stdout, result.stderr)
    return result.stdout


def wrapped(value):
    return cbor2.dumps(value, canonical=True)


def pem_of(name, key):
    path = WORK / name
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()))
    return path


def new_key(kind):
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(RNG.randbytes(32))
    return ec.derive_private_key(int.from_bytes(RNG.randbytes(31), "big") + 1, ec.SECP256R1())


def sign(key, message):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def check_signature(key, message, signature):
    """Raises unless the signature is genuine."""
    public = key.public_key()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        public.verify(signature, message)
    else:
        der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        public.verify(der, message, ec.ECDSA(hashes.SHA256()))


def decode_and_verify(envelope, key, kind, payload, sequence, integrated):
    """Everything that a verifier reads, from the draft alone."""
    outer = cbor2.loads(envelope)
    assert outer.tag == 107
    outer = outer.value
    # Deterministic: what it says is encoded in the one way.
    digest, *blocks = cbor2.loads(outer[2])
    algorithm, value = cbor2.loads(digest)
    assert algorithm == -16
    assert value == hashlib.sha256(wrapped(outer[3])).digest()
    assert len(blocks) == 1
    block = cbor2.loads(blocks[0])
    assert block.tag == 18
    protected, _, detached, signature = block.value
    assert detached is None
    assert cbor2.loads(protected)[1] in KINDS[kind]
    check_signature(key, wrapped(["Signature1", protected, b"", digest]), signature)

    manifest = cbor2.loads(outer[3])
    assert wrapped(manifest) == outer[3]
    assert (manifest[1], manifest[2]) == (1, sequence)
    common = cbor2.loads(manifest[3])
    assert common[2] == [[b"\0"]]
    parameters, conditions = {}, set()
    for section in [common[4], manifest[7], manifest[20]]:
        flat = cbor2.loads(section)
        for command, argument in zip(flat[::2], flat[1::2], strict=True):
            if command == 20:
                parameters |= argument
            elif command in (1, 2, 3, 5, 24):
                conditions.add(command)
    assert {1, 2, 3} <= conditions
    assert (parameters[1], parameters[2]) == (VENDOR.bytes, CLASS.bytes)
    assert cbor2.loads(parameters[3]) == [-16, hashlib.sha256(payload).digest()]
    assert parameters[14] == len(payload)
    if integrated:
        assert outer[parameters[21]] == payload


def ours(kind, number, integrated):
    global cases
    key, size, sequence = new_key(kind), RNG.randrange(1, 5000), RNG.randrange(1, 1 << 40)
    payload = RNG.randbytes(size)
    names = [WORK / f"{kind}-{number}{end}" for end in (".key", ".payload", ".suit")]
    done(iotsec("key", "import", pem_of(f"{kind}-{number}.pem", key), names[0]))
    names[1].write_bytes(payload)
    where = ["--integrated"] if integrated else ["--uri", "https://fw.iotsec.example/app.bin"]
    done(iotsec("update", "create", "--vendor-domain", "iotsec.example", "--model", "sensor-rev-b", "--sequence",
                sequence, "--payload", names[1], *where, "--key", names[0], "--out", names[2]))
    envelope = names[2].read_bytes()
    decode_and_verify(envelope, key, kind, payload, sequence, integrated)
    cases += 1


def theirs(kind, number, algorithm, integrated):
    """Made here, judged there; and every edit of it refused."""
    global cases
    key, sequence = new_key(kind), RNG.randrange(1, 1 << 40)
    payload = RNG.randbytes(RNG.randrange(1, 3000))
    uri = "#app" if integrated else "https://fw.iotsec.example/app.bin"
    image = wrapped([-16, hashlib.sha256(payload).digest()])
    shared = wrapped([20, {1: VENDOR.bytes, 2: CLASS.bytes, 3: image, 14: len(payload)}, 1, 15, 2, 15])
    install = wrapped([20, {21: uri}, 21, 2, 3, 15])
    manifest = wrapped({1: 1, 2: sequence, 3: wrapped({2: [[b"\0"]], 4: shared}), 7: wrapped([3, 15]),
                        9: wrapped([23, 2]), 20: install})
    digest = wrapped([-16, hashlib.sha256(wrapped(manifest)).digest()])
    protected = wrapped({1: algorithm})
    signature = sign(key, wrapped(["Signature1", protected, b"", digest]))
    block = wrapped(cbor2.CBORTag(18, [protected, {}, None, signature]))
    outer = {2: wrapped([digest, block]), 3: manifest}
    if integrated:
        outer[uri] = payload
    envelope = wrapped(cbor2.CBORTag(107, outer))

    trusted, other, fetched, file = [WORK / f"t{kind}{number}{end}" for end in (".key", ".other", ".payload", ".suit")]
    done(iotsec("key", "import", pem_of(f"t{kind}{number}.pem", key), trusted))
    done(iotsec("key", "import", pem_of(f"u{kind}{number}.pem", new_key(kind)), other))
    fetched.write_bytes(payload)
    carried = [] if integrated else ["--payload", fetched]

    def verify(content, public=trusted, installed=sequence - 1):
        file.write_bytes(content)
        return iotsec("update", "verify", "--key", f"{public}.pub", "--vendor-domain", "iotsec.example", "--model",
                      "sensor-rev-b", "--installed", installed, *carried, file)

    done(verify(envelope))
    refused = [verify(envelope, public=other), verify(envelope, installed=sequence + 1), verify(envelope[:-1]),
               verify(envelope + b"\0")]
    for _ in range(8):
        edited = bytearray(envelope)
        edited[RNG.randrange(len(edited))] ^= 1 << RNG.randrange(8)
        refused.append(verify(bytes(edited)))
    if not integrated:
        fetched.write_bytes(payload[:-1] + bytes([payload[-1] ^ 1]))
        refused.append(verify(envelope))
    assert all(result.returncode == 1 for result in refused), refused
    cases += 1 + len(refused)


for kind, algorithms in KINDS.items():
    for number in range(4):
        ours(kind, number, integrated=number % 2 == 1)
        theirs(kind, number, algorithms[number // 2], integrated=number % 2 == 1)
print(f"SUIT: {cases} answers agree")
