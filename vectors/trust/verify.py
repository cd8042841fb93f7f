#!/usr/bin/env python3
"""Follows a chain of trust bundles as a device would, with cbor2 and cryptography from PyPI.

    verify.py 1.trust 2.trust …

The first is believed, the others must follow. Prints the last version; exits with 1 at the first refusal.
Shares no code with iotsec. It does not look for weak keys.
"""

import hashlib
import sys

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

ED25519, P256 = {-19, -8}, {-9, -7}


class Refused(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Refused(why)


def decode(encoded):
    item = cbor2.loads(encoded)
    need(cbor2.dumps(item, canonical=True) == encoded, "not deterministic")
    return item


def thumbprint(key):
    required = (1, -1, -2) if key[1] == 1 else (1, -1, -2, -3)
    return hashlib.sha256(cbor2.dumps({label: key[label] for label in required}, canonical=True)).digest()


def verifies(key, algorithm, message, signature):
    try:
        if key[1] == 1 and algorithm in ED25519:
            ed25519.Ed25519PublicKey.from_public_bytes(key[-2]).verify(signature, message)
        elif key[1] == 2 and algorithm in P256 and len(signature) == 64:
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + key[-2] + key[-3])
            der = utils.encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
            point.verify(der, message, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


class Bundle:
    def __init__(self, encoded):
        need(len(encoded) <= 4096, "too large")
        tagged = decode(encoded)
        need(tagged.tag == 98, "not a COSE_Sign")
        self.body, _, self.payload, self.signatures = tagged.value
        need(1 <= len(self.signatures) <= 8, "number of signatures")
        need(self.body == b"" or 2 not in decode(self.body), "critical header")
        self.map = decode(self.payload)
        need(self.map.get(0) == "iotsec-trust/1" and set(self.map) <= set(range(9)), "not a bundle")
        self.version, self.keys = self.map[1], self.map[5]
        self.revoked = set(self.map.get(7, []))
        self.prints = [thumbprint(key) for key in self.keys]
        need(len(set(self.prints)) == len(self.keys) <= 16, "keys")
        need(all(set(key) <= {1, 2, 3, -1, -2, -3} for key in self.keys), "not a public key")
        need(not self.revoked & set(self.prints), "revoked key")
        for kind, value in self.map.get(8, []):
            need(kind == 1 and 1 <= len(value) <= 1024 or kind == 2 and len(value) == 32, "TLS anchor")
        need({1, 2} <= set(self.map[6]) <= {1, 2, 3, 4}, "roles")
        for threshold, places in self.map[6].values():
            need(places == sorted(set(places)) and max(places) < len(self.keys), "places")
            need(1 <= threshold <= len(places) <= 8, "threshold")

    def signers(self, of):
        """Which root keys of another bundle signed this one."""
        found = set()
        for protected, _, signature in self.signatures:
            body = b"" if self.body == b"\xa0" else self.body
            message = cbor2.dumps(["Signature", body, protected, b"", self.payload], canonical=True)
            algorithm = decode(protected)[1]
            for place in of.map[6][1][1]:
                if verifies(of.keys[place], algorithm, message, signature):
                    found.add(of.prints[place])
        return found

    def signed_by_itself(self):
        need(len(self.signers(self)) >= self.map[6][1][0], "too few of its own root")


def follow(before, after):
    need(len(after.signers(before) - after.revoked) >= before.map[6][1][0], "too few of the root before")
    need(after.version == before.version + 1, "version")
    need(after.map[3] == before.map[3] and after.map[4] == before.map[4], "product")
    need(before.revoked <= after.revoked, "a revocation is dropped")
    after.signed_by_itself()
    return after


def main(paths):
    trust = None
    for path in paths:
        try:
            with open(path, "rb") as file:
                bundle = Bundle(file.read())
            if trust is None:
                bundle.signed_by_itself()
            trust = bundle if trust is None else follow(trust, bundle)
        except (Refused, KeyError, TypeError, ValueError) as error:
            sys.exit(f"{path} refused: {error}")
    print(trust.version)


if __name__ == "__main__":
    main(sys.argv[1:])
