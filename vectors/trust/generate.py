#!/usr/bin/env python3
"""Makes every file of this directory anew, with cbor2 and cryptography from PyPI.

Shares no code with iotsec. Deterministic: ECDSA signatures are those of RFC 6979.

    pip install cbor2 cryptography && python3 vectors/trust/generate.py
"""

import hashlib
import json
import pathlib

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

HERE = pathlib.Path(__file__).parent
VENDOR = bytes(range(0x10, 0x20))
CLASS = bytes(range(0x20, 0x30))
DEVICE = bytes(range(0x30, 0x40))
NONCE = bytes(range(0x40, 0x50))
OLD = hashlib.sha256(b"manifest 3").digest()
NEW = hashlib.sha256(b"manifest 9").digest()


def cbor(item):
    return cbor2.dumps(item, canonical=True)


class Ed25519:
    """The key whose seed is thirty-two times one byte: public knowledge, never for a product."""

    algorithm = -19

    def __init__(self, byte):
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([byte] * 32))
        self.x = self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )

    def cose(self, kid=None):
        key = {1: 1, 3: -19, -1: 6, -2: self.x}
        return key if kid is None else key | {2: kid}

    def thumbprint(self):
        return hashlib.sha256(cbor({1: 1, -1: 6, -2: self.x})).digest()

    def sign(self, message):
        return self.key.sign(message)


class P256:
    """The key whose scalar is thirty-two times one byte."""

    algorithm = -9

    def __init__(self, byte):
        self.key = ec.derive_private_key(int.from_bytes(bytes([byte] * 32)), ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.x, self.y = (n.to_bytes(32) for n in (numbers.x, numbers.y))

    def cose(self, kid=None):
        key = {1: 2, 3: -9, -1: 1, -2: self.x, -3: self.y}
        return key if kid is None else key | {2: kid}

    def thumbprint(self):
        return hashlib.sha256(cbor({1: 2, -1: 1, -2: self.x, -3: self.y})).digest()

    def sign(self, message):
        der = self.key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(32) + s.to_bytes(32)


R1, R2, R3, N1, N2 = (Ed25519(n) for n in (1, 2, 3, 11, 12))
UPDATE, FRESH, RESCUE, NEXT = (Ed25519(n) for n in (4, 5, 6, 14))
P1 = P256(7)
STRANGER = Ed25519(99)


def signed(payload, keys, body=b"", body_map=None, algorithm=None, kid=None, context="Signature", extra=()):
    """COSE_Sign (RFC 9052 section 4)."""
    signatures = []
    for key in keys:
        protected = cbor({1: key.algorithm if algorithm is None else algorithm})
        counted = b"" if body == cbor({}) else body
        message = cbor([context, counted, protected, b"", payload])
        signatures.append([protected, {} if kid is None else {4: kid}, key.sign(message)])
    return cbor(cbor2.CBORTag(98, [body, body_map or {}, payload, signatures + list(extra)]))


def content(version, keys=None, roles=None, **more):
    keys = keys if keys is not None else [k.cose() for k in (R1, R2, R3, UPDATE, FRESH, RESCUE)]
    roles = roles if roles is not None else {1: [2, [0, 1, 2]], 2: [1, [3]], 3: [1, [4]], 4: [1, [5]]}
    bundle = {0: "iotsec-trust/1", 1: version, 3: VENDOR, 4: CLASS, 5: keys, 6: roles}
    names = {"domain": 0, "expires": 2, "vendor": 3, "class_": 4, "revoked": 7, "tls": 8, "unknown": 9}
    bundle |= {names[name]: value for name, value in more.items()}
    return cbor(bundle)


index = {
    "device": {"vendor": VENDOR.hex(), "class": CLASS.hex(), "device": DEVICE.hex(), "nonce": NONCE.hex(),
               "installed": OLD.hex()},
    "bundles": [], "statements": [], "tokens": [],
}


def add(kind, name, message, under, error=None, why="", **more):
    path = f"{name}.cose"
    (HERE / path).write_bytes(message)
    entry = {"file": path, "under": under, "error": error, "why": why}
    index[kind].append(entry | {key: value for key, value in more.items()})


def bundle(name, message, under="p01.cose", error=None, why=""):
    add("bundles", name, message, under, error, why)


two = [R1, R2]
bundle("p01", signed(content(1), two), None, why="a first bundle")
bundle("p02", signed(content(2), [R2, R3]), why="the next, by two others of the three")
bundle("p03", signed(content(2, [k.cose() for k in (N1, N2, UPDATE)], {1: [2, [0, 1]], 2: [1, [2]]}),
                     [R1, R3, N1, N2]), why="a new root; roles that go")
bundle("p04", signed(content(2, [k.cose(b"kid-%d" % i) for i, k in enumerate((R1, R2, R3, NEXT))],
                             {1: [2, [0, 1, 2]], 2: [1, [3]]}, revoked=sorted([UPDATE.thumbprint()]),
                             expires=1900000000, tls=[[1, b"\x30\x03\x02\x01\x05"], [2, OLD]]),
                     two, kid=b"kid-0"), why="identifiers, a misleading hint, a revocation, expiry, TLS")
bundle("p05", signed(content(2), two, body=cbor({})), why="an empty map as body header counts as nothing")
bundle("p06", signed(content(2), two, body_map={4: b"body", 99: [1, 2]}), why="unprotected body headers are ignored")
bundle("p07", signed(content(2), two, algorithm=-8), why="EdDSA, the older name of the algorithm")
bundle("p08", signed(content(2), two, extra=[[cbor({1: -48}), {}, b"\0" * 64]]),
       why="a signature by an unknown algorithm counts for nothing and spoils nothing")
bundle("p09", signed(content(2), [STRANGER, R3, R1]), why="a stranger's signature counts for nothing")
bundle("p10", signed(content(2, [k.cose() for k in (R1, R2, R3, UPDATE, P1)],
                             {1: [3, [0, 1, 4]], 2: [1, [3]]}), [R1, R2, P1]), why="a P-256 key in the root")
bundle("p11", signed(content(3), two), "p02.cose", why="the third step")
bundle("p12", signed(content(2), [R1, R2, R3, UPDATE, FRESH, RESCUE, N1, N2]), why="as many signatures as there may be")

bundle("n01", signed(content(2), [R1]), error=2220, why="one root key of two")
bundle("n02", signed(content(2), [R1, R1]), error=2220, why="one root key twice")
bundle("n03", signed(content(2), [UPDATE, FRESH, RESCUE]), error=2220, why="other roles")
bundle("n04", signed(content(2, [k.cose() for k in (N1, N2, UPDATE)], {1: [2, [0, 1]], 2: [1, [2]]}),
                     [N1, N2]), error=2220, why="only the new root")
bundle("n05", signed(content(2, [k.cose() for k in (N1, N2, UPDATE)], {1: [2, [0, 1]], 2: [1, [2]]}),
                     [R1, R2, N1]), error=2221, why="too few of the new root")
bundle("n06", signed(content(3), two), error=2223, why="a version is left out")
bundle("n07", signed(content(1), two), "p02.cose", 2224, "an older version")
bundle("n08", signed(content(1, expires=1), two), error=2225, why="another bundle with the same version")
bundle("n09", signed(content(2**64 - 1), two), error=2223, why="fast-forward")
bundle("n10", signed(content(0), two), error=2215, why="version zero")
bundle("n11", signed(content(2, roles={1: [0, [0, 1, 2]], 2: [1, [3]]}), two), error=2209, why="threshold zero")
bundle("n12", signed(content(2, roles={1: [4, [0, 1, 2]], 2: [1, [3]]}), two), error=2209,
       why="threshold above the number of keys")
bundle("n13", signed(content(2, [R1.cose(b"a"), R1.cose(b"b"), UPDATE.cose()], {1: [2, [0, 1]], 2: [1, [2]]}), two),
       error=2204, why="one key under two identifiers")
bundle("n14", signed(content(2, roles={1: [2, [0, 0]], 2: [1, [3]]}), two), error=2208, why="one key twice in a role")
bundle("n15", signed(content(2, roles={1: [2, [0, 1, 9]], 2: [1, [3]]}), two), error=2208, why="a key that is not there")
bundle("n16", signed(content(2, revoked=[R3.thumbprint()]), two), error=2211, why="a key that it revokes")
bundle("n17", signed(content(3, [k.cose() for k in (R1, R2, R3, NEXT)], {1: [2, [0, 1, 2]], 2: [1, [3]]}), two),
       "p04.cose", 2212, "a revocation is dropped")
bundle("n18", signed(content(2, [k.cose() for k in (N1, R2, R3, UPDATE)], {1: [2, [0, 1, 2]], 2: [1, [3]]},
                             revoked=[R1.thumbprint()]), [R1, R2, N1]), error=2220,
       why="a revoked root key does not count for its successor")
bundle("n19", signed(content(2, class_=bytes(16)), two), error=2214, why="another class")
bundle("n20", signed(content(2, domain="iotsec-trust/2"), two), error=2201, why="another version of the format")
bundle("n21", signed(content(2, unknown=0), two), error=1015, why="an unknown entry")
bundle("n22", signed(content(2), two, context="Signature1"), error=2220, why="signed as COSE_Sign1 would be")
bundle("n23", signed(content(2), two, algorithm=-9), error=2220, why="the algorithm of another type of key")
bundle("n24", signed(content(2), two, body=cbor({2: [99], 99: 1})), error=1104, why="an unknown critical header")
bundle("n25", signed(content(2), [R1, R2, R3, UPDATE, FRESH, RESCUE, N1, N2, NEXT]), error=1108, why="nine signatures")
bundle("n26", signed(content(2), [])[:], error=1108, why="no signature")
bundle("n27", signed(content(2), two) + b"\0", error=1011, why="bytes behind the end")
private = R1.cose() | {-4: bytes([1] * 32)}
bundle("n28", signed(content(2, [private] + [k.cose() for k in (R2, R3, UPDATE)],
                             {1: [2, [0, 1, 2]], 2: [1, [3]]}), two), error=2206, why="a private key")
weak = {1: 1, 3: -19, -1: 6, -2: bytes([1]) + bytes(31)}
bundle("n29", signed(content(2, [k.cose() for k in (R1, R2, R3, UPDATE)] + [weak],
                             {1: [2, [0, 1, 2]], 2: [1, [3, 4]]}), two), error=2205, why="a weak key")
bundle("n30", signed(content(2, tls=[[3, OLD]]), two), error=2213, why="a TLS anchor of unknown kind")
bundle("n31", signed(content(2, tls=[[1, b"\x30" * 1000]] * 4), two), error=2202, why="too large")
bundle("n32", signed(content(2, roles={1: [2, [0, 1, 2]]}), two), error=2207, why="nobody signs updates")
bundle("n33", signed(content(1), [R1]), None, 2221, "a first bundle without enough of its own root")


def latest(**more):
    names = {"domain": 0, "nonce": 1, "vendor": 2, "class_": 3, "sequence": 4, "digest": 5, "trust": 6, "time": 7}
    statement = {0: "iotsec-latest/1", 1: NONCE, 2: VENDOR, 3: CLASS, 4: 9, 5: NEW, 6: 1, 7: 1800000000}
    for name, value in more.items():
        statement[names[name]] = value
        if value is None:
            del statement[names[name]]
    return cbor(statement)


def statement(name, message, error=None, why="", behind=False):
    add("statements", name, message, "p01.cose", error, why, sequence=9, digest=NEW.hex(), behind=behind)


statement("s01", signed(latest(), [FRESH]), why="good")
statement("s02", signed(latest(time=None), [FRESH]), why="without time")
statement("s03", signed(latest(trust=2), [FRESH]), why="a later trust bundle", behind=True)
statement("s04", signed(latest(nonce=bytes(16)), [FRESH]), 2260, "the answer to another challenge")
statement("s05", signed(latest(), [UPDATE]), 2228, "another role")
statement("s06", signed(latest(), [STRANGER]), 2228, "a stranger")
statement("s07", signed(latest(class_=bytes(16)), [FRESH]), 2214, "another class")
statement("s08", signed(latest(domain="iotsec-latest/2"), [FRESH]), 2201, "another version of the format")
statement("s09", signed(latest(digest=None), [FRESH]), 1016, "an entry is missing")


def downgrade(**more):
    names = {"domain": 0, "vendor": 1, "class_": 2, "device": 3, "from_": 4, "to": 5, "expires": 6}
    token = {0: "iotsec-downgrade/1", 1: VENDOR, 2: CLASS, 3: DEVICE, 4: OLD, 5: NEW}
    return cbor(token | {names[name]: value for name, value in more.items()})


def token(name, message, error=None, why="", now=None):
    add("tokens", name, message, "p01.cose", error, why, to=NEW.hex(), now=now)


token("d01", signed(downgrade(), [RESCUE]), why="good")
token("d02", signed(downgrade(expires=1800000000), [RESCUE]), why="in time", now=1800000000)
token("d03", signed(downgrade(expires=1800000000), [RESCUE]), 2263, "too late", now=1800000001)
token("d04", signed(downgrade(expires=1800000000), [RESCUE]), 2264, "no clock")
token("d05", signed(downgrade(device=bytes(16)), [RESCUE]), 2261, "another device")
token("d06", signed(downgrade(from_=NEW), [RESCUE]), 2262, "another manifest is installed")
token("d07", signed(downgrade(), [UPDATE]), 2228, "another role")
token("d08", signed(downgrade(vendor=bytes(16)), [RESCUE]), 2214, "another vendor")
token("d09", signed(latest(), [RESCUE]), 2201, "a statement is no token")

(HERE / "index.json").write_text(json.dumps(index, indent=1) + "\n")
print({kind: len(index[kind]) for kind in ("bundles", "statements", "tokens")})
