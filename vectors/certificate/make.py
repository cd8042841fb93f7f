#!/usr/bin/env python3
"""Chains that a device must accept or refuse, with the error it must give.

    make.py                  writes chains.cbor and the .der files beside it
    make.py --live FOLDER    writes index.json, root.der, and for a TLS server NAME.pem, NAME.chain.pem and NAME.key

Needs Python's cryptography (48) and openssl 3, which makes the one SHA-1 signature. The keys of P-256 and Ed25519 are
derived from their names and their signatures are deterministic; RSA keys are drawn anew. The private keys are public:
never use them for anything else.
"""
import datetime
import hashlib
import ipaddress
import json
import pathlib
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent
BEGIN = datetime.datetime(2026, 1, 1)
END = datetime.datetime(2099, 12, 31, 23, 59, 59)
HOST = "broker.example"
MESSAGE = b"what a TLS 1.3 server signs"


def seed(name):
    return hashlib.sha256(b"iotsec certificate vectors: " + name.encode()).digest()


def p256(name, curve=ec.SECP256R1()):
    return ec.derive_private_key(int.from_bytes(seed(name), "big") >> 1, curve)


def ed(name):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed(name))


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


USAGE = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]


def usage(*wanted):
    return x509.KeyUsage(**{bit: bit in wanted for bit in USAGE})


def sign(builder, key):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return builder.sign(key, None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        digest = hashes.SHA384() if key.curve.key_size == 384 else hashes.SHA256()
        return builder.sign(key, digest, ecdsa_deterministic=True)
    return builder.sign(key, hashes.SHA256())


def certificate(subject, key, issuer, issuer_key, extensions, begin=BEGIN, end=END, serial=None):
    serial = serial or int.from_bytes(seed(subject + str(key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)))[:16], "big") >> 1
    builder = x509.CertificateBuilder(
        issuer_name=issuer, subject_name=name(subject), public_key=key.public_key(), serial_number=serial,
        not_valid_before=begin, not_valid_after=end)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return sign(builder, issuer_key)


def ca_extensions(path_length=None, bits=("key_cert_sign", "crl_sign"), critical=True, more=()):
    return [(x509.BasicConstraints(True, path_length), critical), (usage(*bits), True), *more]


class Ca:
    def __init__(self, subject, key, issuer=None, **arguments):
        self.subject, self.key = name(subject), key
        begin = arguments.pop("begin", BEGIN)
        end = arguments.pop("end", END)
        extensions = arguments.pop("extensions", None) or ca_extensions(**arguments)
        issuer_name, issuer_key = (issuer.subject, issuer.key) if issuer else (self.subject, key)
        self.certificate = certificate(subject, key, issuer_name, issuer_key, extensions, begin, end)


def leaf_extensions(names=(HOST,), purposes=(Purpose.SERVER_AUTH,), bits=("digital_signature",), ca=False,
                    more=(), addresses=(), names_critical=False):
    extensions = [(x509.BasicConstraints(ca, None), True)]
    if bits:
        extensions.append((usage(*bits), True))
    if purposes:
        extensions.append((x509.ExtendedKeyUsage(purposes), False))
    alternatives = [x509.DNSName(one) for one in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
    if alternatives:
        extensions.append((x509.SubjectAlternativeName(alternatives), names_critical))
    return extensions + list(more)


root = Ca("root", p256("root"))
other_root = Ca("otherroot", p256("otherroot"))
inter = Ca("inter", p256("inter"), root, path_length=0)
inter2 = Ca("inter2", p256("inter2"), inter)
constrained = Ca("ncinter", p256("ncinter"), root, bits=("key_cert_sign",), more=[
    (x509.NameConstraints([x509.DNSName("other.example")], None), True)])
ed_root = Ca("edroot", ed("edroot"))
ed_inter = Ca("edinter", ed("edinter"), ed_root)

# Name, host, error for any suite, error for Ed25519 and P-256 alone, certificates, key of the leaf.
rows = []


def row(title, certificates, key, error=0, small=None, host=HOST):
    rows.append((title, host, error, error if small is None else small, certificates, key))


def leaf(title, error=0, small=None, issuer=root, key=None, subject=HOST, chain=(), host=HOST, extensions=None,
         begin=BEGIN, end=END, serial=None, **arguments):
    key = key or p256(title)
    extensions = extensions or leaf_extensions(**arguments)
    made = certificate(subject, key, issuer.subject, issuer.key, extensions, begin, end, serial)
    row(title, [made, *(ca.certificate for ca in chain)], key, error, small, host)
    return made


# The matrix: what a TLS client of any kind must get right.
leaf("good")
leaf("wronghost_cn", 5022, subject="evil.example", names=("evil.example",))
leaf("wronghost", 5022, names=("evil.example",))
leaf("nosan_cnonly", 5022, names=())
leaf("untrusted", 5012, issuer=other_root)
leaf("clientonly", 5021, purposes=(Purpose.CLIENT_AUTH,))
leaf("wildcard", 5022, names=("*.example",))
device_key = p256("device")
device = leaf("device", 5021, key=device_key, subject="device-0001", purposes=(Purpose.CLIENT_AUTH,),
              names=("device-0001.local",))
forged_key = p256("forged")
row("forged", [certificate(HOST, forged_key, name("device-0001"), device_key, leaf_extensions()), device],
    forged_key, 5016)
leaf("viainter", issuer=inter, chain=(inter,))
leaf("pathlen", 5017 + 1, issuer=inter2, chain=(inter2, inter))
leaf("nochain", 5012, issuer=inter)
self_key = p256("selfsigned")
row("selfsigned", [certificate(HOST, self_key, name(HOST), self_key, leaf_extensions())], self_key, 5012)
leaf("rsa1024", 5010, key=rsa.generate_private_key(65537, 1024))
leaf("rsa2048", 0, 5009, key=rsa.generate_private_key(65537, 2048))
leaf("ed25519", key=ed("ed25519"))
leaf("critext", 5007, more=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True)])
leaf("k1", 5009, key=p256("k1", ec.SECP256K1()))
leaf("nameconstr", 5019, issuer=constrained, chain=(constrained,))
leaf("expired", 5014, begin=datetime.datetime(2020, 1, 1), end=datetime.datetime(2021, 1, 1), bits=())
leaf("notyet", 5015, begin=datetime.datetime(2090, 1, 1), end=datetime.datetime(2091, 1, 1), bits=())
leaf("san5_last", names=("a.example", "b.example", "c.example", "d.example", HOST), bits=())


def sha1():
    key = p256("sha1")
    with tempfile.TemporaryDirectory() as folder:
        at = pathlib.Path(folder)
        pem = serialization.Encoding.PEM
        at.joinpath("key").write_bytes(key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        at.joinpath("rootkey").write_bytes(root.key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        at.joinpath("root").write_bytes(root.certificate.public_bytes(pem))
        at.joinpath("ext").write_text(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            f"extendedKeyUsage=serverAuth\nsubjectAltName=DNS:{HOST}\n")
        openssl = ["openssl", "req", "-new", "-key", at / "key", "-subj", f"/CN={HOST}", "-out", at / "csr"]
        subprocess.run(openssl, check=True)
        openssl = ["openssl", "x509", "-req", "-in", at / "csr", "-CA", at / "root", "-CAkey", at / "rootkey",
                   "-set_serial", "1", "-sha1", "-days", "25000", "-extfile", at / "ext", "-outform", "DER",
                   "-out", at / "der"]
        subprocess.run(openssl, check=True, stderr=subprocess.DEVNULL)
        return x509.load_der_x509_certificate(at.joinpath("der").read_bytes()), key


made, key = sha1()
row("sha1", [made], key, 5008)
MATRIX = len(rows)
assert MATRIX == 23

# What the policy of a device adds.
leaf("ed25519_all", issuer=ed_inter, chain=(ed_inter, ed_root), key=ed("ed25519_all"))
leaf("p384", 0, 5009, key=p256("p384", ec.SECP384R1()))
leaf("client", 5021, purposes=(Purpose.CLIENT_AUTH,), names=(), subject="device-0002")
leaf("no_purpose", 5021, purposes=())
leaf("any_purpose", 5021, purposes=(Purpose.SERVER_AUTH, Purpose.ANY_EXTENDED_KEY_USAGE))
leaf("ca_as_leaf", 5017, ca=True, bits=("digital_signature", "key_cert_sign"))
leaf("leaf_signs", 5020, bits=("digital_signature", "key_cert_sign"))
leaf("no_signature_usage", 5020, bits=("key_encipherment",))
leaf("long_serial", 5025, serial=1 << 159)
leaf("serial_20", serial=(1 << 159) - 1)
leaf("address", 5023, names=(), addresses=("192.0.2.1",), host="192.0.2.1")
leaf("address_as_name", 5023, names=("192.0.2.1",), host="192.0.2.1")
leaf("wildcard_two", 5024, names=("*.broker.example",), host="a.broker.example")
leaf("no_subject", subject="", names_critical=True)
leaf("no_subject_quiet", 5004, subject="")
leaf("upper_case", names=("BROKER.Example",))
no_sign = Ca("nosign", p256("nosign"), root, bits=("crl_sign",))
leaf("issuer_no_sign", 5016, issuer=no_sign, chain=(no_sign,))
not_critical = Ca("notcritical", p256("notcritical"), root, critical=False)
leaf("issuer_not_critical", 5016, issuer=not_critical, chain=(not_critical,))
old = Ca("oldinter", p256("oldinter"), root, begin=datetime.datetime(2020, 1, 1), end=datetime.datetime(2021, 1, 1))
leaf("issuer_expired", 5014, issuer=old, chain=(old,))
deep = [root]
for depth in range(4):
    deep.append(Ca(f"deep{depth}", p256(f"deep{depth}"), deep[-1]))
leaf("four", issuer=deep[3], chain=(deep[3], deep[2], deep[1]))
leaf("five", 5002, issuer=deep[4], chain=(deep[4], deep[3], deep[2], deep[1]))
leaf("with_root", issuer=inter, chain=(inter, root))
leaf("unordered", issuer=deep[2], chain=(deep[1], deep[2]))
broken = leaf("broken", 5011)
body = bytearray(broken.public_bytes(serialization.Encoding.DER))
body[-1] ^= 1
rows[-1] = (*rows[-1][:4], [bytes(body)], rows[-1][5])
same_name = Ca("root", p256("impostor"))
leaf("impostor", 5011, issuer=same_name)


def revocations(issuer, serials, next_update):
    builder = x509.CertificateRevocationListBuilder(issuer.subject, BEGIN, next_update)
    builder = builder.add_extension(x509.CRLNumber(1), False)
    for one in serials:
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder(one, BEGIN).build())
    return sign(builder, issuer.key).public_bytes(serialization.Encoding.DER)


def der(one):
    return one if isinstance(one, bytes) else one.public_bytes(serialization.Encoding.DER)


def handshake(key):
    """The scheme in the TLS registry, and the signature."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return 0x0807, key.sign(MESSAGE)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        scheme, digest = (0x0503, hashes.SHA384()) if key.curve.key_size == 384 else (0x0403, hashes.SHA256())
        return scheme, key.sign(MESSAGE, ec.ECDSA(digest, deterministic_signing=True))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return 0x0804, key.sign(MESSAGE, pss, hashes.SHA256())


def head(major, number):
    for info, size in ((23, 0), (24, 1), (25, 2), (26, 4)):
        if size == 0 and number < 24:
            return bytes([major << 5 | number])
        if size and number < 1 << 8 * size:
            return bytes([major << 5 | info]) + number.to_bytes(size, "big")
    raise ValueError(number)


def cbor(value):
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    return head(4, len(value)) + b"".join(map(cbor, value))


def live(folder):
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("root.der").write_bytes(der(root.certificate))
    index = [{"name": title, "host": host, "error": error, "small": small, "matrix": at < MATRIX}
             for at, (title, host, error, small, _, _) in enumerate(rows)]
    folder.joinpath("index.json").write_text(json.dumps(index, indent=1))
    for title, _, _, _, certificates, key in rows:
        pems = [x509.load_der_x509_certificate(der(one)).public_bytes(serialization.Encoding.PEM)
                for one in certificates]
        folder.joinpath(f"{title}.pem").write_bytes(pems[0])
        folder.joinpath(f"{title}.chain.pem").write_bytes(b"".join(pems))
        folder.joinpath(f"{title}.key").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


if sys.argv[1:2] == ["--live"]:
    live(pathlib.Path(sys.argv[2]))
else:
    # [matrix: uint, message: bstr, anchors: [der], [name, host, error, small error, [der], scheme, signature]]
    table = [[title, host, error, small, [der(one) for one in certificates], *handshake(key)]
             for title, host, error, small, certificates, key in rows]
    anchors = [der(root.certificate), der(ed_root.certificate)]
    HERE.joinpath("chains.cbor").write_bytes(cbor([MATRIX, MESSAGE, anchors, table]))
    HERE.joinpath("root.der").write_bytes(der(root.certificate))
    HERE.joinpath("good.der").write_bytes(der(rows[0][4][0]))
    later = datetime.datetime(2090, 1, 1)
    serial = {title: certificates[0].serial_number for title, _, _, _, certificates, _ in rows if title != "broken"}
    lists = {
        "crl_root_clean": revocations(root, [1], later),
        "crl_root_good_revoked": revocations(root, [serial["good"]], later),
        "crl_root_inter_revoked": revocations(root, [inter.certificate.serial_number], later),
        "crl_root_ended": revocations(root, [], datetime.datetime(2026, 6, 1)),
        "crl_inter_clean": revocations(inter, [1], later),
    }
    for title, one in lists.items():
        HERE.joinpath(f"{title}.der").write_bytes(one)
    anchors = {
        "anchor_ended": Ca("ended", p256("ended"), end=datetime.datetime(2026, 6, 1)),
        "anchor_early": Ca("early", p256("early"), begin=datetime.datetime(2090, 1, 1)),
        "anchor_no_usage": Ca("nousage", p256("nousage"), extensions=[(x509.BasicConstraints(True, None), True)]),
        "anchor_not_critical": Ca("quiet", p256("quiet"), critical=False),
        "anchor_no_name": Ca("", p256("noname")),
        "anchor_rsa1024": Ca("rsa1024", rsa.generate_private_key(65537, 1024)),
        "anchor_rsa2048": Ca("rsa2048", rsa.generate_private_key(65537, 2048)),
        "anchor_p384": Ca("p384", p256("p384root", ec.SECP384R1())),
        "anchor_k1": Ca("k1", p256("k1root", ec.SECP256K1())),
        "anchor_next": Ca("next", p256("next")),
        "impostor": same_name,
    }
    for title, one in anchors.items():
        HERE.joinpath(f"{title}.der").write_bytes(der(one.certificate))
    next_root = anchors["anchor_next"]
    key = p256("good")
    HERE.joinpath("good_next.der").write_bytes(
        der(certificate(HOST, key, next_root.subject, next_root.key, leaf_extensions())))
    print(f"{len(rows)} chains, {MATRIX} of them the matrix")
