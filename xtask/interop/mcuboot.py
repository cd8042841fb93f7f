#!/usr/bin/env python3
"""Random MCUboot images by imgtool, for iotsec to judge.

usage: mcuboot.py make FOLDER    images named for what must be answered, slots to be completed, and pairs of
                                 slots with what MCUboot would start
       mcuboot.py check FOLDER   what iotsec made of the slots

Needs imgtool. Exit status 0 when imgtool agrees with itself, and with iotsec on the slots.
"""

import random
import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from imgtool import image, keys

RNG = random.Random(2450)
ACTION, FOLDER = sys.argv[1], Path(sys.argv[2])
IMGTOOL = Path(sys.executable).with_name("imgtool")
SLOT = 0x4000
# Of the first slot. imgtool takes 0 for no address.
ADDRESS = 0x10000


def imgtool(*arguments):
    result = subprocess.run([IMGTOOL, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, (arguments, result.stdout, result.stderr)
    return result.stdout


def new_keys():
    """Private keys for imgtool, public ones for iotsec."""
    made = {
        "ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(RNG.randbytes(32)),
        "p256": ec.derive_private_key(int.from_bytes(RNG.randbytes(31), "big") + 1, ec.SECP256R1()),
    }
    (FOLDER / "keys").mkdir(parents=True)
    for name, key in made.items():
        (FOLDER / f"{name}.pem").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        raw = [serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint] if name == "p256" else [
            serialization.Encoding.Raw, serialization.PublicFormat.Raw]
        (FOLDER / "keys" / f"{name}.pub.hex").write_text(key.public_key().public_bytes(*raw).hex() + "\n")


def options():
    """Some of what imgtool can be asked for."""
    chosen = ["-v", f"{RNG.randrange(256)}.{RNG.randrange(256)}.{RNG.randrange(65536)}+{RNG.randrange(1 << 32)}",
              "-H", RNG.choice([32, 64, 128, 512, 1024]), "--pad-header", "-S", SLOT]
    if RNG.random() < 0.6:
        chosen += ["-s", RNG.choice(["auto", str(RNG.randrange(1 << 32))])]
    if RNG.random() < 0.5:
        some = ", ".join(f"({n}, {RNG.randrange(9)}.{RNG.randrange(9)}.{RNG.randrange(99)}+0)"
                         for n in range(RNG.randrange(1, 5)))
        chosen += ["-d", some]
    if RNG.random() < 0.4:
        chosen += ["--vid", "iotsec.example", "--cid", "sensor-rev-b"]
    if RNG.random() < 0.3:
        chosen += ["--boot-record", "APP"]
    if RNG.random() < 0.3:
        chosen += ["--custom-tlv", "0x00b0", RNG.randbytes(RNG.randrange(1, 40)).hex()]
    if RNG.random() < 0.3:
        chosen += ["--public-key-format", "full"]
    return chosen


def make():
    new_keys()
    (FOLDER / "images").mkdir()
    (FOLDER / "slots").mkdir()
    payload = FOLDER / "payload.bin"
    for number in range(24):
        kind = "p256" if number % 3 == 0 else "ed25519"
        start = "ecdsa" if kind == "p256" else "ed25519"
        payload.write_bytes(RNG.randbytes(RNG.randrange(1, 6000)))
        extra = []
        if kind == "ed25519" and number % 3 == 2:
            extra = RNG.choice([["--pure"], ["--sha", "512"]])
        key = FOLDER / f"{kind}.pem"
        made = FOLDER / "images" / f"{start}_{number}.bin"
        imgtool("sign", "-k", key, *options(), *extra, payload, made)
        imgtool("verify", "-k", key, made)
        content = made.read_bytes()
        header = int.from_bytes(content[8:10], "little")
        signed = header + int.from_bytes(content[10:12], "little") + int.from_bytes(content[12:16], "little")
        for edit in range(6):
            # The first ones in what is signed, where imgtool must see it too.
            at = RNG.randrange(32, signed) if edit < 3 else RNG.randrange(len(content))
            edited = bytearray(content)
            edited[at] ^= 1 << RNG.randrange(8)
            bad = FOLDER / "images" / f"neg_{number}_{edit}.bin"
            bad.write_bytes(bytes(edited))
            if edit < 3:
                answer = image.Image.verify(str(bad), keys.load(str(key)))[0]
                assert answer != image.VerifyResult.OK, (bad, answer)
    payload.write_bytes(RNG.randbytes(2000))
    for align in [8, 16, 32]:
        for erased, value in [("ff", "0xff"), ("00", "0")]:
            for kind in ["pad", "confirm"]:
                name = f"{align}_{erased}_{kind}"
                common = ["sign", "-k", FOLDER / "ed25519.pem", "-v", "1.0.0", "-H", 32, "--pad-header", "-S", SLOT,
                          "-R", value, "--align", align, "--max-align", align, "-M", 16]
                imgtool(*common, payload, FOLDER / "slots" / f"{name}.image")
                imgtool(*common, f"--{kind}", payload, FOLDER / "slots" / f"{name}.theirs")
    make_pairs()


def starts(slots, floor):
    """What MCUboot 2.4 starts with direct-XIP, revert and a security counter, as boot/bootutil/src/loader.c has it:
    the slot, or None; and the counter after it."""
    available = [slot for slot in (0, 1) if slots[slot]]
    while available:
        # max() takes the first of equals: the primary slot.
        active = max(available, key=lambda slot: (slots[slot]["version"], -slot))
        image = slots[active]
        available.remove(active)
        if image["rom"] is not None and image["rom"] != ADDRESS + active * SLOT:
            continue
        if not image["magic"] or (image["copy_done"] and not image["image_ok"]):
            slots[active] = None
            continue
        image["copy_done"] = True
        if image["counter"] is None or image["counter"] < floor:
            slots[active] = None
            continue
        return active, max(floor, image["counter"]) if image["image_ok"] else floor
    return None, floor


def make_pairs():
    """Slots with what imgtool writes, two by two, and what MCUboot would start in three boots."""
    folder = FOLDER / "pairs"
    folder.mkdir()
    payload = FOLDER / "payload.bin"
    lines = []
    for align in [8, 16, 32]:
        for erased, value in [("ff", "0xff"), ("00", "0")]:
            images = [(None, None)]
            for number in range(9):
                version = (1, RNG.randrange(3), RNG.randrange(2))
                counter = RNG.choice([None, 0, 1, 1, 2])
                rom = RNG.choice([None, None, ADDRESS, ADDRESS + SLOT])
                kind = RNG.choice(["none", "pad", "pad", "confirm", "confirm"])
                payload.write_bytes(RNG.randbytes(RNG.randrange(100, 3000)))
                path = folder / f"{align}_{erased}_{number}.bin"
                arguments = ["-v", "{}.{}.{}".format(*version), "-H", RNG.choice([32, 512]), "--pad-header", "-S", SLOT,
                             "-R", value, "--align", align, "--max-align", align, "-M", 16]
                arguments += [] if counter is None else ["--security-counter", counter]
                arguments += [] if rom is None else ["--rom-fixed", hex(rom)]
                arguments += [] if kind == "none" else [f"--{kind}"]
                imgtool("sign", "-k", FOLDER / "ed25519.pem", *arguments, payload, path)
                assert (path.stat().st_size == SLOT) == (kind != "none"), path
                images.append((path.name, dict(version=version, counter=counter, rom=rom, magic=kind != "none",
                                               image_ok=kind == "confirm", copy_done=False)))
            for (a, in_a) in images:
                for (b, in_b) in images:
                    floor = RNG.choice([0, 0, 1, 2])
                    slots = [in_a and dict(in_a), in_b and dict(in_b)]
                    line = [str(align), erased, a or "-", b or "-", str(floor)]
                    for _ in range(3):
                        active, floor = starts(slots, floor)
                        line += ["-" if active is None else "AB"[active], str(floor)]
                    lines.append(" ".join(line))
    (FOLDER / "pairs.txt").write_text("\n".join(lines) + "\n")


def check():
    slots = sorted((FOLDER / "slots").glob("*.theirs"))
    for theirs in slots:
        ours = theirs.with_suffix(".ours")
        assert ours.read_bytes() == theirs.read_bytes(), ours
        # What imgtool shows of it: the magic is good where ours is.
        text = imgtool("dumpinfo", ours)
        assert "image_ok" in text, text
        confirmed = "SET (0x1)" in text
        assert confirmed == ("confirm" in ours.name), (ours, text)
    print(f"MCUboot: {len(slots)} trailers equal to imgtool's")


{"make": make, "check": check}[ACTION]()
