"""Random and mutated inputs of many kinds, and what Python says of them.

Usage: input_cases.py OUT COUNT
"""

import base64
import binascii
import decimal
import io
import ipaddress
import json
import random
import re
import sys

import cbor2
import semver

out, count = open(sys.argv[1], "w"), int(sys.argv[2])
random.seed(1305)


def utf8(data):
    return data.decode("utf-8", "strict")


# JSON: the standard library, told to be as strict as RFC 7493.
SAFE = 2**53 - 1


def pairs(members):
    if len({name for name, _ in members}) != len(members):
        raise ValueError("twice")
    return dict(members)


def integer(text):
    if abs(int(text)) > SAFE:
        raise ValueError("range")
    return int(text)


def real(text):
    exact = decimal.Decimal(text)
    if exact != 0 and exact.adjusted() < -323:
        raise ValueError("range")
    if abs(float(text)) == float("inf"):
        raise ValueError("range")
    return float(text)


def never(text):
    raise ValueError(text)


def walk(value, depth=0):
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, list):
        for element in value:
            walk(element, depth + 1)
    elif isinstance(value, dict):
        for name, member in value.items():
            walk(name)
            walk(member, depth + 1)


def is_json(data):
    walk(json.loads(utf8(data), object_pairs_hook=pairs, parse_int=integer, parse_float=real, parse_constant=never))


# CBOR: cbor2 reads it, writes the same bytes, and the keys are in order.
def plain(value):
    if isinstance(value, (dict, cbor2.frozendict)):
        keys = [cbor2.dumps(key) for key in value]
        return keys == sorted(keys) and all(plain(key) and plain(value[key]) for key in value)
    if isinstance(value, (list, tuple)):
        return all(map(plain, value))
    # Beyond 64 bits it is a bignum.
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**64) <= value < 2**64
    return isinstance(value, (str, bytes, bool)) or value is None


def is_cbor(data):
    stream = io.BytesIO(data)
    value = cbor2.CBORDecoder(stream).decode()
    if stream.read() or not plain(value) or cbor2.dumps(value) != data:
        raise ValueError


def is_ipv4(data):
    ipaddress.IPv4Address(data.decode("ascii"))


def is_ipv6(data):
    # Addresses with a zone are none of ours.
    if b"%" in data:
        raise ValueError
    ipaddress.IPv6Address(data.decode("ascii"))


def encoding(decode, encode):
    def check(data):
        if encode(decode(data)) != data:
            raise ValueError

    return check


def base64url(data):
    if b"=" in data or re.search(rb"[^A-Za-z0-9_-]", data):
        raise ValueError
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))


def is_hex(data):
    binascii.unhexlify(data.decode("ascii"))


def is_semver(data):
    version = semver.Version.parse(data.decode("ascii"))
    if not 5 <= len(data) <= 64 or max(version.major, version.minor, version.patch) >= 2**64:
        raise ValueError


def is_hostname(data):
    name = data.decode("ascii").removesuffix(".")
    labels = name.split(".")
    if not 1 <= len(name) <= 253:
        raise ValueError
    for label in labels:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", label):
            raise ValueError
        if label.lower().startswith("xn--"):
            decoded = label[4:].encode().decode("punycode")
            if decoded.isascii() or decoded.encode("punycode").decode().lower() != label[4:].lower():
                raise ValueError
            decoded.encode("utf-8")
    if re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", labels[-1]):
        raise ValueError


def is_email(data):
    local, domain = data.decode("ascii").split("@")
    atom = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
    if not re.fullmatch(rf"{atom}(\.{atom})*", local) or len(local) > 64 or len(data) > 254:
        raise ValueError
    if "." not in domain or domain.endswith("."):
        raise ValueError
    is_hostname(domain.encode())


def is_mac(data):
    text = data.decode("ascii")
    pair, four = "[0-9A-Fa-f]{2}", "[0-9A-Fa-f]{4}"
    forms = [pair * 6, ":".join([pair] * 6), "-".join([pair] * 6), r"\.".join([four] * 3)]
    if not any(re.fullmatch(form, text) for form in forms):
        raise ValueError


def any_json(depth=0):
    kind = random.randrange(5 if depth > 3 else 8)
    if kind == 0:
        return random.choice(["null", "true", "false"])
    if kind == 1:
        return str(random.choice([0, -1, 10, SAFE, -SAFE, SAFE + 1, random.getrandbits(40)]))
    if kind == 2:
        return f"{random.randrange(20)}.{random.randrange(999)}e{random.choice(['', '-', '+'])}{random.randrange(330)}"
    if kind in (3, 4):
        parts = ["a", "\\n", "\\u00e9", "\\ud83d\\ude00", "é", "\\\\", '\\"', "\\/", " ", ",", "}"]
        return '"' + "".join(random.choices(parts, k=random.randrange(4))) + '"'
    blank = random.choice(["", " ", "\n\t"])
    inner = [any_json(depth + 1) for _ in range(random.randrange(4))]
    if kind == 5:
        return "[" + ("," + blank).join(inner) + blank + "]"
    return "{" + ("," + blank).join(f'"{chr(97 + at)}":{blank}{one}' for at, one in enumerate(inner)) + "}"


def any_cbor(depth=0):
    kind = random.randrange(5 if depth > 3 else 8)
    if kind == 0:
        return random.choice([None, True, False])
    if kind == 1:
        return random.choice([1, -1]) * random.getrandbits(random.randrange(1, 64))
    if kind in (2, 3):
        return random.choice(["", "a", "é😀", "x" * 30])
    if kind == 4:
        return bytes(random.randrange(30))
    if kind == 5:
        return [any_cbor(depth + 1) for _ in range(random.randrange(4))]
    return {at: any_cbor(depth + 1) for at in range(random.randrange(4))}


LABELS = ["a", "example", "x-1", "xn--bcher-kva", "xn--fiqs8s", "xn--", "xn--a", "1", "0x7f", "a_b", "-", "b" * 63, "c" * 64]


def hostname():
    return ".".join(random.choices(LABELS, weights=[9, 9, 4, 4, 2, 1, 1, 1, 1, 1, 1, 2, 1], k=random.randrange(1, 5)))


def version():
    core = ".".join(str(random.choice([0, 1, 10, 999])) for _ in range(3))
    pre = random.choice(["", "", "-rc.1", "-0", "-01", "-a.b-c"])
    return core + pre + random.choice(["", "", "+5f3a", "+01", "+a.b"])


def octets():
    return random.randbytes(random.randrange(1, 9))


KINDS = {
    "json": (lambda: any_json().encode(), is_json),
    "cbor": (lambda: cbor2.dumps(any_cbor()), is_cbor),
    "ipv4": (lambda: str(ipaddress.IPv4Address(random.getrandbits(32))).encode(), is_ipv4),
    "ipv6": (lambda: str(ipaddress.IPv6Address(random.getrandbits(128) & random.getrandbits(128))).encode(), is_ipv6),
    "hex": (lambda: octets().hex().encode(), is_hex),
    "base32": (lambda: base64.b32encode(octets()), encoding(base64.b32decode, base64.b32encode)),
    "base64": (lambda: base64.b64encode(octets()), encoding(lambda data: base64.b64decode(data, validate=True), base64.b64encode)),
    "base64url": (lambda: base64.urlsafe_b64encode(octets()).rstrip(b"="), encoding(base64url, lambda data: base64.urlsafe_b64encode(data).rstrip(b"="))),
    "semver": (lambda: version().encode(), is_semver),
    "hostname": (lambda: hostname().encode(), is_hostname),
    "email": (lambda: (random.choice(["a", "a.b", "a+b", "a..b", "o'n"]) + "@" + hostname()).encode(), is_email),
    "mac": (lambda: random.choice([":", "-", ""]).join(f"{byte:02x}" for byte in random.randbytes(6)).encode(), is_mac),
}
TEXT = b"0123456789abcdefxnXN.:-+=/_@\"\\{}[], \x00\xc3\xa9"


def mutate(data, text):
    data = bytearray(data)
    at = random.randrange(len(data) + 1)
    action = random.randrange(4)
    if action == 0:
        del data[at:]
    elif action == 1:
        data[at:at] = bytes([random.choice(TEXT) if text else random.randrange(256)])
    elif action == 2 and at < len(data):
        data[at] = random.choice(TEXT) if text else data[at] ^ 1 << random.randrange(8)
    else:
        del data[at : at + 1]
    return bytes(data)


for kind, (make, check) in KINDS.items():
    for case in range(count):
        data = make()
        for _ in range(case % 3):
            data = mutate(data, kind != "cbor")
        if kind == "cbor" and data and re.search(rb"[\xc0-\xdb]", data):
            # Tags become objects of Python.
            continue
        try:
            check(data)
            valid = True
        except (ValueError, KeyError, TypeError, OverflowError, decimal.DecimalException, binascii.Error, cbor2.CBORDecodeError, RecursionError, UnicodeError):
            valid = False
        out.write(json.dumps({"kind": kind, "hex": data.hex(), "valid": valid}) + "\n")
