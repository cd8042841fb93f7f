#!/usr/bin/env python3
"""Makes the generated half of this folder. Needs imgtool 2.5.0 and cryptography.

    python3 make.py FOLDER

Whole images come from imgtool. Images that imgtool refuses to make are put together and signed here, so
that what is wrong with them lies under a good signature. ECDSA signatures differ from run to run.
"""
import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519

OUT = pathlib.Path(sys.argv[1])
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")
PAYLOAD = b"".join(hashlib.sha256(b"iotsec mcuboot payload %d" % i).digest() for i in range(8))


def seed(name):
    return hashlib.sha256(b"iotsec test vector key " + name.encode()).digest()


def key(name):
    if name.startswith("ed25519"):
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed(name))
    return ec.derive_private_key(int.from_bytes(seed(name), "big") % P256_ORDER, ec.SECP256R1())


def raw_public(name):
    return key(name).public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


WORK = pathlib.Path(tempfile.mkdtemp())
for name in ["ed25519_a", "ed25519_untrusted", "p256_a", "p256_untrusted"]:
    (WORK / f"{name}.pem").write_bytes(key(name).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
(WORK / "x25519.pem").write_bytes(
    x25519.X25519PrivateKey.from_private_bytes(seed("x25519_a")).public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
(WORK / "payload.bin").write_bytes(PAYLOAD)
(WORK / "long.bin").write_bytes(bytes(4096))


def imgtool(file, *options, signer="ed25519_a", header="0x20", slot="0x1000", payload="payload.bin"):
    command = ["imgtool", "sign", "-v", "1.2.3+4", "-H", header, "--pad-header", "-S", slot]
    if signer:
        command += ["-k", str(WORK / f"{signer}.pem")]
    command += [*options, str(WORK / payload), str(OUT / file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (OUT / file).read_bytes()


def entry(kind, value):
    return struct.pack("<HH", kind, len(value)) + value


def area(magic, entries, total=None):
    body = b"".join(entry(*e) for e in entries)
    return struct.pack("<HH", magic, len(body) + 4 if total is None else total) + body


def forge(file, protected=(), flags=0, address=0, reserved=0, header=32, size=None, protected_size=None,
          before=(), after=(), magic=0x96F3B83D, prot_total=None, unprot_total=None, signature=None,
          prot_magic=0x6908, unprot_magic=0x6907, key_entry=None, hash_entry=None, order=None,
          raw_protected=None, sha=hashlib.sha256, tail=b""):
    """An image that ed25519_a signs, whatever is wrong with it."""
    prot = raw_protected
    if prot is None:
        prot = area(prot_magic, protected, prot_total) if protected else b""
    head = struct.pack("<IIHHIIBBHII", magic, address, header, len(prot) if protected_size is None else protected_size,
                       len(PAYLOAD) if size is None else size, flags, 1, 2, 3, 4, reserved)
    signed = head + bytes(max(header, 32) - 32 if header < 1000 else 0) + PAYLOAD + prot
    digest = sha(signed).digest()
    public = SPKI_ED25519 + raw_public("ed25519_a")
    entries = [
        hash_entry or (0x10, digest),
        key_entry or (0x01, sha(public).digest()),
        (0x24, key("ed25519_a").sign(digest) if signature is None else signature),
    ]
    if order:
        entries = [entries[i] for i in order]
    tlvs = area(unprot_magic, [*before, *entries, *after], unprot_total)
    (OUT / file).write_bytes(signed + tlvs + tail)


def edit(file, image, at, value):
    image = bytearray(image)
    image[at:at + len(value)] = value
    (OUT / file).write_bytes(bytes(image))


# Good ones, by imgtool.
plain = imgtool("ed25519.bin")
pure = imgtool("ed25519_pure.bin", "--pure")
imgtool("ed25519_pure_seccnt.bin", "--pure", "-s", "9")
imgtool("ed25519_sha512.bin", "--sha", "512")
imgtool("ed25519_header_512.bin", header="0x200")
imgtool("ed25519_boot_record.bin", "--boot-record", "APP")
imgtool("ed25519_custom.bin", "--custom-tlv", "0x00a0", "0x12345678", "--custom-tlv", "0x01a5", "text")
imgtool("ed25519_rom_fixed.bin", "-F", "0x8000")
imgtool("ed25519_ram_load.bin", "-L", "0x20000000")
full = imgtool("ed25519_everything.bin", "-s", "7", "-d", "(1, 1.0.0+0), (2, 2.3.4+5)", "--vid", "iotsec.example",
               "--cid", "sensor-rev-b", "--boot-record", "APP", "--custom-tlv", "0x00a1", "0x01")
ecdsa = imgtool("ecdsa_p256_plain.bin", signer="p256_a")
imgtool("ecdsa_p256_pad_sig.bin", "--pad-sig", signer="p256_a")
imgtool("ecdsa_p256_fullpub.bin", "--public-key-format", "full", "-s", "5", signer="p256_a")
for align in ["8", "16", "32"]:
    for erased, value in [("ff", "0xff"), ("00", "0")]:
        for kind, options in [("pad", ["--pad"]), ("confirm", ["--confirm"])]:
            imgtool(f"ed25519_trailer_{align}_{erased}_{kind}.bin", *options, "-R", value, "--align", align,
                    "--max-align", align, "-M", "4")

# Not signed, or by others.
imgtool("hash_only.bin", signer=None)
imgtool("hash_only_seccnt.bin", "-s", "5", signer=None)
imgtool("untrusted_fullpub.bin", "--public-key-format", "full", signer="ed25519_untrusted")
imgtool("untrusted_pure.bin", "--pure", signer="ed25519_untrusted")
imgtool("untrusted_p256.bin", signer="p256_untrusted")

# Genuine, and of a kind that is refused.
imgtool("neg_encrypted.bin", "-E", str(WORK / "x25519.pem"))
imgtool("neg_encrypted_clear.bin", "-E", str(WORK / "x25519.pem"), "--clear")
imgtool("neg_compressed.bin", "--compression", "lzma2", payload="long.bin", slot="0x4000")
imgtool("neg_not_bootable.bin", "--non-bootable")
imgtool("neg_sha384_hash_only.bin", "--sha", "384", signer=None)
imgtool("neg_big_endian.bin", "-e", "big")

# Wrong under a good signature.
forge("neg_signed_unknown_flag.bin", flags=0x1000)
forge("neg_signed_pic.bin", flags=0x1)
forge("neg_signed_ram_and_rom.bin", flags=0x120, address=0x8000)
forge("neg_signed_reserved.bin", reserved=1)
forge("neg_signed_unknown_entry.bin", protected=[(0x81, bytes(16))])
forge("neg_signed_entry_any.bin", protected=[(0xFFFF, b"")])
forge("neg_signed_two_counters.bin", protected=[(0x50, struct.pack("<I", 9)), (0x50, struct.pack("<I", 1))])
forge("neg_signed_two_vendors.bin", protected=[(0x74, bytes(16)), (0x74, bytes(16))])
forge("neg_signed_two_classes.bin", protected=[(0x75, bytes(16)), (0x75, bytes(16))])
forge("neg_signed_counter_of_8.bin", protected=[(0x50, bytes(8))])
forge("neg_signed_vendor_of_15.bin", protected=[(0x74, bytes(15))])
forge("neg_signed_dependency_of_8.bin", protected=[(0x40, bytes(8))])
forge("neg_signed_dependency_padding.bin", protected=[(0x40, bytes([1, 0, 1, 0]) + bytes(8))])
forge("neg_signed_nine_dependencies.bin", protected=[(0x40, bytes([i, 0, 0, 0]) + bytes(8)) for i in range(9)])
forge("neg_signed_hash_protected.bin", protected=[(0x10, bytes(32))])
forge("neg_signed_signature_protected.bin", protected=[(0x24, bytes(64))])
forge("neg_signed_pure_protected.bin", protected=[(0x25, b"\x01")])
forge("neg_signed_decompressed_size.bin", protected=[(0x70, bytes(4))])
forge("neg_signed_total_short.bin", protected=[(0x50, bytes(4))], prot_total=8)
forge("neg_signed_total_long.bin", protected=[(0x50, bytes(4))], prot_total=0xFFFF)
forge("neg_signed_protected_magic.bin", protected=[(0x50, bytes(4))], prot_magic=0x6907)
forge("neg_signed_entry_overrun.bin", raw_protected=struct.pack("<HHHH", 0x6908, 8, 0xA0, 1))
forge("neg_signed_half_entry.bin", raw_protected=struct.pack("<HHH", 0x6908, 6, 0xA0))
forge("neg_signed_area_of_2.bin", raw_protected=b"\x08\x69")
forge("neg_header_size_0.bin", header=0)
forge("neg_header_size_31.bin", header=31)
forge("neg_image_size_0.bin", size=0)
forge("neg_image_size_wraps.bin", size=0xFFFFFFF0)
forge("neg_image_size_2_31.bin", size=0x80000000)
forge("neg_protected_size_max.bin", protected_size=0xFFFF)
forge("neg_protected_size_in_unprotected.bin", protected_size=36)
forge("neg_magic_zero.bin", magic=0)
forge("neg_magic_erased.bin", magic=0xFFFFFFFF)

# Wrong in what is not signed.
forge("neg_unprotected_vendor.bin", before=[(0x74, bytes(16))])
forge("neg_unprotected_class.bin", after=[(0x75, bytes(16))])
forge("neg_unprotected_boot_record.bin", before=[(0x60, b"\xa0")])
forge("neg_unprotected_custom.bin", after=[(0xA0, b"text")])
forge("neg_unprotected_unknown.bin", after=[(0x77, b"")])
forge("neg_unprotected_encryption.bin", after=[(0x33, bytes(80))])
forge("neg_unprotected_seccnt_after.bin", protected=[(0x50, struct.pack("<I", 1))],
      after=[(0x50, struct.pack("<I", 9))])
forge("neg_second_hash_after.bin", after=[(0x10, bytes(32))])
forge("neg_second_hash_sha512.bin", after=[(0x12, bytes(64))])
forge("neg_second_key.bin", before=[(0x01, bytes(32))])
forge("neg_key_named_twice.bin", before=[(0x02, SPKI_ED25519 + raw_public("ed25519_a"))])
forge("neg_signature_before_key.bin", order=[0, 2, 1])
forge("neg_key_absent.bin", order=[0, 2])
forge("neg_signature_absent.bin", order=[0, 1])
forge("neg_two_signatures_second_bad.bin", after=[(0x24, bytes(64))])
forge("neg_other_signature_too.bin", after=[(0x22, bytes(70))])
forge("neg_rsa_signature.bin", before=[(0x20, bytes(256))])
forge("neg_signature_empty.bin", signature=b"")
forge("neg_signature_zero.bin", signature=bytes(64))
forge("neg_signature_63.bin", signature=bytes(63))
forge("neg_signature_65.bin", signature=bytes(65))
forge("neg_hash_31.bin", hash_entry=(0x10, bytes(31)))
forge("neg_hash_empty.bin", hash_entry=(0x10, b""))
forge("neg_hash_wrong.bin", hash_entry=(0x10, bytes(32)))
forge("neg_hash_named_sha384.bin", hash_entry=(0x11, bytes(48)))
forge("neg_key_hash_empty.bin", key_entry=(0x01, b""))
forge("neg_key_hash_prefix.bin",
      key_entry=(0x01, hashlib.sha256(SPKI_ED25519 + raw_public("ed25519_a")).digest()[:4]))
forge("neg_key_of_another.bin", key_entry=(0x02, SPKI_ED25519 + raw_public("ed25519_untrusted")))
forge("neg_key_raw.bin", key_entry=(0x02, raw_public("ed25519_a")))
forge("neg_key_long.bin", key_entry=(0x02, SPKI_ED25519 + raw_public("ed25519_a") + b"\0"))
forge("neg_pure_added.bin", after=[(0x25, b"\x01")])
forge("neg_pure_false.bin", after=[(0x25, b"\x00")])
forge("neg_area_total_long.bin", unprot_total=0xFFFF)
forge("neg_area_total_short.bin", unprot_total=143)
forge("neg_area_total_3.bin", unprot_total=3)
forge("neg_area_magic.bin", unprot_magic=0x6908)
forge("neg_area_empty_entry_header.bin", unprot_total=146, tail=b"\0\0")
forge("neg_garbage_behind.bin", tail=b"garbage behind the image")

# Edits of good ones.
at = 32 + len(PAYLOAD)
edit("neg_flip_version.bin", plain, 20, b"\x02")
edit("neg_flip_address.bin", plain, 4, b"\x01")
edit("neg_flip_payload_first.bin", plain, 32, bytes([plain[32] ^ 1]))
edit("neg_flip_payload_last.bin", plain, at - 1, bytes([plain[at - 1] ^ 0x80]))
edit("neg_flip_hash.bin", plain, at + 8, bytes([plain[at + 8] ^ 1]))
edit("neg_flip_key.bin", plain, at + 44, bytes([plain[at + 44] ^ 1]))
edit("neg_flip_signature_first.bin", plain, at + 80, bytes([plain[at + 80] ^ 1]))
edit("neg_flip_signature_last.bin", plain, len(plain) - 1, bytes([plain[-1] ^ 1]))
edit("neg_flip_counter.bin", full, at + 8, b"\x08")
edit("neg_flip_vendor.bin", full, full.index(bytes.fromhex("0e011a35e5985569")), b"\x0f")
edit("neg_pure_flip_payload.bin", pure, 40, bytes([pure[40] ^ 1]))
edit("neg_pure_flip_hash.bin", pure, at + 8, bytes([pure[at + 8] ^ 1]))
edit("neg_pure_flip_key.bin", pure, at + 82, bytes([pure[at + 82] ^ 1]))
edit("neg_pure_flip_signature.bin", pure, len(pure) - 9, bytes([pure[-9] ^ 1]))
edit("neg_pure_value_0.bin", pure, at + 76, b"\x00")
edit("neg_pure_renamed.bin", pure, at + 72, b"\xa0")
(OUT / "neg_pure_removed.bin").write_bytes(
    pure[:at] + struct.pack("<HH", 0x6907, 208) + pure[at + 4:at + 72] + pure[at + 77:])
(OUT / "neg_pure_no_hash.bin").write_bytes(pure[:at] + struct.pack("<HH", 0x6907, 145) + pure[at + 72:])
sig = ecdsa.index(b"\x22\0") + 4
edit("neg_ecdsa_flip_payload.bin", ecdsa, 50, bytes([ecdsa[50] ^ 1]))
edit("neg_ecdsa_flip_r.bin", ecdsa, sig + 12, bytes([ecdsa[sig + 12] ^ 1]))
edit("neg_ecdsa_named_ed25519.bin", ecdsa, sig - 4, b"\x24")
edit("neg_ecdsa_not_a_sequence.bin", ecdsa, sig, b"\x31")
edit("neg_ecdsa_sequence_short.bin", ecdsa, sig + 1, bytes([ecdsa[sig + 1] - 1]))
edit("neg_ecdsa_sequence_long_form.bin", ecdsa, sig + 1, b"\x81")
edit("neg_ecdsa_integer_overrun.bin", ecdsa, sig + 3, b"\x7f")
edit("neg_ecdsa_integer_negative.bin", ecdsa, sig + 4, b"\xff\xff")


def ecdsa_with(file, signature):
    head = ecdsa[:at + 4 + 36 + 36]
    total = 4 + 36 + 36 + 4 + len(signature)
    head = head[:at] + struct.pack("<HH", 0x6907, total) + head[at + 4:]
    (OUT / file).write_bytes(head + entry(0x22, signature))


ecdsa_with("neg_ecdsa_zero.bin", bytes.fromhex("3006020100020100"))
ecdsa_with("neg_ecdsa_r_1_s_1.bin", bytes.fromhex("3006020101020101"))
ecdsa_with("neg_ecdsa_empty.bin", b"")
ecdsa_with("neg_ecdsa_of_zeros.bin", bytes(72))
ecdsa_with("neg_ecdsa_trailing.bin", ecdsa[sig:] + b"\x01")
for length in [0, 4, 31, 32, at - 1, at, at + 3, at + 40, len(plain) - 1]:
    (OUT / f"neg_truncated_{length}.bin").write_bytes(plain[:length])
