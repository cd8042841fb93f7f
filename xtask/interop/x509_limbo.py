#!/usr/bin/env python3
"""Makes the test cases of x509-limbo, offline, and writes those that a verifier of servers answers: one JSON object
a line.

    x509_limbo.py OUT            with a checkout of github.com/C2SP/x509-limbo in PYTHONPATH

What is left out needs the network (online) or files of hundreds of megabytes (bettertls).
"""
import json
import sys
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from limbo import testcases


def der(pem, load):
    return load(pem.encode()).public_bytes(Encoding.DER).hex()


def raw(pem):
    """Without parsing: some of these certificates are not to be parsed."""
    import base64
    body = pem.split("-----BEGIN CERTIFICATE-----")[1].split("-----END CERTIFICATE-----")[0]
    return base64.b64decode("".join(body.split())).hex()


with open(sys.argv[1], "w") as out:
    for make in testcases.registry.values():
        case = make()
        if case.validation_kind != "SERVER":
            continue
        name = case.expected_peer_name
        line = {
            "id": case.id,
            "good": case.expected_result == "SUCCESS",
            "time": int(case.validation_time.timestamp()) if case.validation_time else None,
            "name": name.value if name else None,
            "address": bool(name and name.kind == "IP"),
            "anchors": [raw(one) for one in case.trusted_certs],
            "chain": [raw(one) for one in [case.peer_certificate, *case.untrusted_intermediates]],
            "lists": [der(one, x509.load_pem_x509_crl) for one in case.crls],
            "depth": case.max_chain_depth,
            "features": [str(one) for one in case.features or []],
        }
        print(json.dumps(line), file=out)
