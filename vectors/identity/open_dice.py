"""Writes open_dice.json from `include/dice/known_test_values.h` of github.com/google/open-dice (Apache-2.0).

    open_dice.py known_test_values.h COMMIT

Keys and names are read from the X.509 certificates there; inputs are made as its `DeriveFakeInputValue` makes them.
"""

import hashlib
import json
import pathlib
import re
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID


def fake(seed, length):
    context = bytearray(hashlib.sha512(seed.encode()).digest())
    out = b""
    while len(out) < length:
        out += hashlib.sha512(context).digest()
        counter = (int.from_bytes(context[:8], "little") + 1) % 2**64
        context[:8] = counter.to_bytes(8, "little")
    return out[:length]


def main(header, commit):
    arrays = {
        name: bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})", body))
        for name, body in re.findall(r"constexpr uint8_t (\w+)\[\d+\] = \{(.*?)\};", header, re.S)
    }
    zero = {"attest": bytes(32), "seal": bytes(32), "code": bytes(64), "config": bytes(64), "authority": bytes(64)}
    hashes = {
        "attest": fake("cdi_attest", 32),
        "seal": fake("cdi_seal", 32),
        "code": fake("code_hash", 64),
        "config": fake("inline_config", 64),
        "authority": fake("authority_hash", 64),
    }
    descriptor = dict(hashes, config=hashlib.sha512(fake("config_desc", 40)).digest())
    cases = []
    for name, inputs in [("ZeroInput", zero), ("HashOnlyInput", hashes), ("DescriptorInput", descriptor)]:
        case = {"name": name, "mode": 0, **{key: value.hex() for key, value in inputs.items()}}
        case["next_attest"] = arrays[f"kExpectedCdiAttest_{name}"].hex()
        case["next_seal"] = arrays[f"kExpectedCdiSeal_{name}"].hex()
        for kind in ["Ed25519", "P256"]:
            certificate = x509.load_der_x509_certificate(arrays[f"kExpectedX509{kind}Cert_{name}"])
            form = serialization.PublicFormat
            key = certificate.public_key()
            if kind == "Ed25519":
                public = key.public_bytes(serialization.Encoding.Raw, form.Raw)
            else:
                public = key.public_bytes(serialization.Encoding.X962, form.UncompressedPoint)
            (subject,) = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
            (issuer,) = certificate.issuer.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
            case[kind] = {"public": public.hex(), "id": subject.value, "parent_id": issuer.value}
        cases.append(case)
    source = f"github.com/google/open-dice, commit {commit}, Apache-2.0"
    out = pathlib.Path(__file__).parent / "open_dice.json"
    out.write_text(json.dumps({"source": source, "cases": cases}, indent=1) + "\n")


main(pathlib.Path(sys.argv[1]).read_text(), sys.argv[2])
