#!/usr/bin/env python3
"""Labels, certificates and device data of a factory batch, before the tools of those who use them.

usage: factory.py path/to/iotsec path/to/python    (needs cbor2, cryptography, ecdsa,
       esp-idf-nvs-partition-gen, esp-secure-cert-tool, numpy, pillow, pkilint, resvg-py, zxing-cpp; the other Python
       has esp-matter-mfg-tool)

- QR codes: zxing-cpp reads them from PNG, and from SVG that resvg drew.
- Certificates: pkilint's RFC 5280 linter has nothing to say, not even a warning.
- store: records are read with cbor2 and zlib, from the description in iotsec-core/src/credential/FORMAT.md.
- esp-secure-cert: esp-secure-cert-tool makes the same bytes of certificate, authority and key, and its parser reads
  them.
- esp-nvs: nvs_partition_gen makes a partition, in which the unit's record and Matter's values are.
- matter: verifiers are those of `ecdsa` and `hashlib`; esp-matter-mfg-tool accepts each tuple, and makes the same QR
  text, digits and NVS list of it.

Exit status 0 when everything agrees, and what was changed on purpose does not.
"""

import base64
import contextlib
import csv
import hashlib
import io
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import cbor2
import numpy
import resvg_py
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key
from ecdsa.curves import NIST256p
from esp_secure_cert import tlv_format, tlv_parser
from PIL import Image
from pkilint import loader, report
from pkilint.pkix import certificate as pkix, extension, name
from pkilint.validation import ValidationFindingSeverity

UNITS = 40
TOOL_UNITS = 6
PRODUCT = """
[product]
name = "Lamp & <Shade>"
model = "lamp-2"
vendor = "Example, \\"Lighting\\""
[serial]
prefix = "L2-"
[credential]
setup-code = true
"""
MATTER = """
[identity]
kind = "p256"
[matter]
vendor-id = 0xFFF1
product-id = 0x8000
discovery = ["ble"]
"""
KEYS = ["--key", "station/recipient.key", "--signer", "batch/signer.pub"]


class Station:
    """A station with a batch, in a folder of its own."""

    def __init__(self, iotsec, folder, product, kind):
        self.iotsec, self.folder = iotsec, folder
        folder.mkdir()
        (folder / "iotsec.toml").write_text(product)
        self.run("ca", "init", "--organization", "Example Lighting Ltd", "--kind", kind)
        self.run("provision", "batch", "--manifest", "iotsec.toml", "--count", str(UNITS), "--out", "batch")
        self.run("provision", "unseal", "batch/devices.sealed", *KEYS, "--out", "units.csv")
        self.units = list(csv.DictReader((folder / "units.csv").open()))
        assert len(self.units) == UNITS

    def run(self, *arguments):
        subprocess.run([self.iotsec, *arguments], cwd=self.folder, check=True, capture_output=True)

    def export(self, form, *more):
        self.run("provision", "export", "batch", *KEYS, "--format", form, "--out", form, *more)
        return self.folder / form


def read_codes(image):
    # Of QR codes alone, as an app that sets a device up asks: one picture in some ten thousand has a row of modules
    # that is also an article number, which zxing-cpp would report beside the code.
    found = zxingcpp.read_barcodes(numpy.array(image.convert("L")), formats=zxingcpp.BarcodeFormat.QRCode)
    for code in found:
        assert code.format == zxingcpp.BarcodeFormat.QRCode and code.ec_level in "MQH", code
    return [code.text for code in found]


def labels(station):
    station.run("provision", "labels", "batch", *KEYS, "--out", "labels")
    texts = []
    for unit in station.units:
        stem = station.folder / "labels" / unit["serial"]
        lines = stem.with_suffix(".txt").read_text().splitlines()
        assert f"S/N {unit['serial']}" in lines and f"Password {unit['password']}" in lines
        assert lines[-1].startswith("QR ")
        text = lines[-1][3:]
        for kind in ("qr", "label"):
            svg = Path(f"{stem}.{kind}.svg").read_text()
            drawn = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=300))))
            assert read_codes(drawn) == [text]
            picture = Image.open(f"{stem}.{kind}.png")
            assert [round(dpi, 1) for dpi in picture.info["dpi"]] == [406.4, 406.4]
            assert read_codes(picture) == [text]
            # The quiet zone of four modules, which some decoders forgive the lack of.
            assert (numpy.array(picture.convert("L"))[:, :32] == 255).all()
        texts.append(text)
    return texts


def linter():
    parts = [
        pkix.create_issuer_validator_container([]),
        pkix.create_validity_validator_container(),
        pkix.create_subject_validator_container([]),
        pkix.create_extensions_validator_container([]),
        pkix.create_spki_validator_container([]),
    ]
    decoding = pkix.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS)
    return pkix.create_pkix_certificate_validator_container(decoding, parts)


def findings(lint, der):
    results = lint.validate(loader.load_certificate(der, "certificate").root)
    return report.get_findings_count(results, ValidationFindingSeverity.WARNING)


def certificates(station, lint):
    authority = x509.load_pem_x509_certificate((station.folder / "station/ca.crt").read_bytes())
    ders = [bytes.fromhex(unit["certificate"]) for unit in station.units]
    for der in [authority.public_bytes(Encoding.DER), *ders]:
        assert findings(lint, der) == 0, der.hex()
    # A serial number below zero.
    at = ders[0].index(b"\x02\x10") + 2
    assert findings(lint, ders[0][:at] + b"\x80" + ders[0][at + 1 :]) > 0
    return len(ders) + 1


def secure_cert(station):
    authority = x509.load_pem_x509_certificate((station.folder / "station/ca.crt").read_bytes())
    folder = station.export("esp-secure-cert", "--ca", "station/ca.crt")
    scratch = station.folder / "secure-cert-tool"
    scratch.mkdir()
    (scratch / "ca.der").write_bytes(authority.public_bytes(Encoding.DER))
    for unit in station.units:
        partition = (folder / f"{unit['serial']}.bin").read_bytes()
        found, at = {}, 0
        while at < len(partition):
            head, size = tlv_parser.parse_tlv_header(partition, at)
            if head["magic"] != tlv_parser.ESP_SECURE_CERT_TLV_MAGIC:
                break
            total = tlv_parser.get_tlv_total_length(head)
            foot, _ = tlv_parser.parse_tlv_footer(partition, at + total - 4)
            assert tlv_parser.verify_tlv_integrity(head, partition[at:], foot)[0]
            damaged = partition[at : at + size] + bytes([partition[at + size] ^ 1]) + partition[at + size + 1 :]
            assert not tlv_parser.verify_tlv_integrity(head, damaged, foot)[0]
            found[head["type"]] = partition[at + size : at + size + head["length"]]
            at += total
        assert set(found) == {0, 1, 2} and set(partition[at:]) == {0xFF}
        certificate = x509.load_der_x509_certificate(found[1])
        key = load_der_private_key(found[2], None)
        assert f"{key.private_numbers().private_value:064x}" == unit["device_seed"]
        assert certificate.public_key() == key.public_key()
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(found[0]))

        (scratch / "device.der").write_bytes(found[1])
        (scratch / "key.der").write_bytes(found[2])
        key_type = tlv_format.tlv_priv_key_type_t.ESP_SECURE_CERT_DEFAULT_FORMAT_KEY
        key = tlv_format.tlv_priv_key_t(key_type, str(scratch / "key.der"), None)
        with contextlib.redirect_stdout(io.StringIO()):
            tlv_format.generate_partition_no_ds(
                key, str(scratch / "device.der"), str(scratch / "ca.der"), "esp32c3", str(scratch / "made.bin")
            )
        assert (scratch / "made.bin").read_bytes() == partition


def store(station):
    records = station.export("store")
    for unit in station.units:
        record = (records / f"{unit['serial']}.unit").read_bytes()
        magic, length = struct.unpack(">8sH", record[:10])
        content, check = record[10:-4], int.from_bytes(record[-4:], "big")
        assert (magic, length, check) == (b"iotsecU1", len(content), zlib.crc32(record[:-4]))
        pairs = cbor2.loads(content)
        assert cbor2.dumps(pairs, canonical=True) == content, "deterministic"
        assert (pairs.pop(1), pairs.pop(3), pairs.pop(4)) == (unit["serial"], unit["password"], unit["setup_code"])
        assert len(pairs.pop(2)) == 16
        public = x509.load_der_x509_certificate(pairs.pop(6)).public_key()
        if 5 in pairs:
            assert ed25519.Ed25519PrivateKey.from_private_bytes(pairs.pop(5)).public_key() == public
        else:
            scalar = int.from_bytes(pairs.pop(7), "big")
            assert ec.derive_private_key(scalar, ec.SECP256R1()).public_key() == public
        assert pairs == {}
    return records


def nvs(station, records):
    lists = station.export("esp-nvs")
    for unit in station.units:
        path = lists / f"{unit['serial']}.csv"
        made = path.with_suffix(".bin")
        command = [sys.executable, "-m", "esp_idf_nvs_partition_gen", "generate", path, made, "0x4000"]
        subprocess.run(command, check=True, capture_output=True)
        partition = made.read_bytes()
        record = (records / f"{unit['serial']}.unit").read_bytes()
        assert record in partition
        for row in csv.DictReader(path.open()):
            assert len(row["key"]) <= 15
            if row["encoding"] == "string":
                assert row["value"].encode() + b"\0" in partition
            elif row["encoding"] == "u32":
                entry = row["key"].encode().ljust(16, b"\0") + struct.pack("<I", int(row["value"]))
                assert entry in partition
    return lists


def verifier(passcode, salt, iterations):
    halves = hashlib.pbkdf2_hmac("sha256", struct.pack("<I", passcode), salt, iterations, 80)
    w0, w1 = (int.from_bytes(half, "big") % NIST256p.order for half in (halves[:40], halves[40:]))
    return w0.to_bytes(32, "big") + (NIST256p.generator * w1).to_bytes("uncompressed")


def chip_factory(path):
    rows = list(csv.DictReader(path.open()))
    start = [row["key"] for row in rows].index("chip-factory")
    return {row["key"]: (row["encoding"], row["value"]) for row in rows[start + 1 :]}


def matter(station, python, texts, lists):
    listed = list(csv.DictReader((station.export("matter") / "matter.csv").open()))
    assert [row["qr"] for row in listed] == texts
    for row, unit in zip(listed, station.units, strict=True):
        assert (row["serial"], row["passcode"]) == (unit["serial"], unit["setup_code"])
        salt, made = base64.b64decode(row["salt"]), base64.b64decode(row["verifier"])
        assert verifier(int(row["passcode"]), salt, int(row["iterations"])) == made
    assert len({row["salt"] for row in listed}) == UNITS

    def tool(row, folder):
        folder.mkdir()
        command = [
            python.parent / "esp-matter-mfg-tool", "-v", row["vendor_id"], "-p", row["product_id"],
            "--passcode", str(int(row["passcode"])), "--discriminator", row["discriminator"],
            "--salt", row["salt"], "--verifier", row["verifier"], "--iteration-count", row["iterations"],
            "--vendor-name", 'Example, "Lighting"', "--product-name", "Lamp & <Shade>",
            "--serial-num", row["serial"], "-dm", "2",
        ]  # fmt: skip
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)

    for row in listed[:TOOL_UNITS]:
        folder = station.folder / f"tool-{row['serial']}"
        done = tool(row, folder)
        assert done.returncode == 0 and "are consistent" in done.stdout + done.stderr, done
        (codes,) = folder.glob("out/*/*/*-onb_codes.csv")
        (told,) = csv.DictReader(codes.open())
        assert (told["qrcode"], told["manualcode"].replace("-", "")) == (row["qr"], row["manual_code"])
        (partition,) = folder.glob("out/*/*/internal/partition.csv")
        assert chip_factory(partition) == chip_factory(lists / f"{row['serial']}.csv")
    changed = dict(listed[0], verifier=listed[1]["verifier"])
    done = tool(changed, station.folder / "tool-changed")
    assert done.returncode != 0, "the tool takes a verifier of another passcode"


def main():
    iotsec, python = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        plain = Station(iotsec, folder / "plain", PRODUCT, "ed25519")
        with_matter = Station(iotsec, folder / "matter", PRODUCT + MATTER, "p256")
        texts = labels(with_matter)
        count = 4 * (len(labels(plain)) + len(texts))
        print(f"labels: zxing-cpp reads {count} QR codes, half of them drawn by resvg")
        lint = linter()
        count = sum(certificates(station, lint) for station in (plain, with_matter))
        print(f"certificates: pkilint has no finding in {count}, and one in a changed one")
        records = [store(station) for station in (plain, with_matter)]
        print(f"store: {2 * UNITS} records read with cbor2 and zlib, half of them with P-256 keys")
        secure_cert(with_matter)
        print(f"esp-secure-cert: {UNITS} partitions are those of esp-secure-cert-tool, to the byte")
        nvs(plain, records[0])
        lists = nvs(with_matter, records[1])
        print(f"esp-nvs: nvs_partition_gen makes partitions of {2 * UNITS} lists, with what is in them")
        matter(with_matter, python, texts, lists)
        print(f"matter: {UNITS} verifiers are those of ecdsa; esp-matter-mfg-tool agrees with {TOOL_UNITS} of them")


main()
