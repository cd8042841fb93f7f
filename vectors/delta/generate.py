#!/usr/bin/env python3
"""Makes the files of this directory anew: needs `pip install detools==0.53.0`. Seeded, so always the same."""

import io
import json
import pathlib
import random
import struct

import detools

HERE = pathlib.Path(__file__).parent


def code(functions, shift=0):
    """Something like Thumb code: short functions with literal pools of absolute addresses."""
    out = bytearray()
    for number in range(functions):
        body = random.Random(number * 7919)
        for _ in range(body.randrange(8, 40)):
            operation = body.choice([0x4B00, 0x6818, 0x2000, 0xB510, 0xBD10, 0x4770, 0xF000])
            out += struct.pack("<H", operation | body.randrange(0x40))
        for _ in range(body.randrange(1, 4)):
            out += struct.pack("<I", 0x0800_0000 + body.randrange(0x10000) * 4 + shift)
    return bytes(out)


def pairs():
    rng = random.Random(2024)
    base = code(24) + b"firmware 1.0.0\0ready\0error %d\n\0" + rng.randbytes(200) + bytes(64)
    yield "string", base, base.replace(b"1.0.0", b"1.0.1")
    yield "insertion", base, base[:700] + rng.randbytes(52) + base[700:]
    yield "addresses", base, code(24, 0x34) + base[len(code(24)):]
    yield "truncation", base, base[:1111]
    yield "growth", base, base + rng.randbytes(300)
    yield "identical", base, base
    yield "moved", base, base[1200:] + base[:1200]
    yield "unrelated", base, rng.randbytes(500)
    yield "runs", base, b"\xff" * 600 + base[:200] + bytes(600)
    yield "byte", b"\0", b"\1"


def firmware(release):
    """60 KB that a few lines make in any language: `examples/update_delta.rs` makes the same. The second release
    says so, and has some code inserted, behind which absolute addresses have moved."""
    inserted = 400 if release == 2 else 0
    out, state = bytearray(), 1
    for at in range(15000):
        state = (state * 1664525 + 1013904223) % 2**32
        address = at % 16 == 9
        out += struct.pack("<I", 0x0800_0000 + (state >> 16) * 4 + inserted if address else state >> 8)
        if at == 5000:
            for extra in range(inserted // 4):
                out += struct.pack("<I", extra * 2654435761 % 2**32)
    out[256:265] = b"release %d" % release
    return bytes(out)


def patch(old, new, **options):
    out = io.BytesIO()
    detools.create_patch(io.BytesIO(old), io.BytesIO(new), out, use_mmap=False, **options)
    if options.get("patch_type") != "in-place":
        made = io.BytesIO()
        detools.apply_patch(io.BytesIO(old), io.BytesIO(out.getvalue()), made)
        assert made.getvalue() == new
    return out.getvalue()


def main():
    index = {"tool": f"detools {detools.__version__}", "applied": [], "refused": []}

    def write(name, data):
        (HERE / name).write_bytes(data)
        return name

    def applied(name, images, kind, old, new, **options):
        made = write(f"{name}.{kind}", patch(old, new, **options))
        index["applied"].append({"name": f"{name}, {kind}", **images, "patch": made})

    for name, old, new in pairs():
        before = "byte.from" if name == "byte" else "base"
        after = before if old == new else f"{name}.to"
        images = {"from": write(before, old), "to": write(after, new)}
        for kind in ("none", "crle", "heatshrink"):
            applied(name, images, kind, old, new, compression=kind)

    name, old, new = next(iter(pairs()))
    images = {"from": "base", "to": f"{name}.to"}
    for window, lookahead in ((4, 3), (7, 5)):
        applied(name, images, f"window-{window}", old, new, compression="heatshrink",
                heatshrink_window_sz2=window, heatshrink_lookahead_sz2=lookahead)
    applied(name, images, "match-blocks", old, new, compression="heatshrink", algorithm="match-blocks")

    for kind, error, options in [
        ("window-9", 2910, {"compression": "heatshrink", "heatshrink_window_sz2": 9}),
        ("in-place", 2911, {"compression": "heatshrink", "patch_type": "in-place",
                            "memory_size": 8192, "segment_size": 1024}),
        ("hdiffpatch", 2911, {"compression": "heatshrink", "patch_type": "hdiffpatch",
                              "algorithm": "hdiffpatch"}),
        ("lzma", 2912, {"compression": "lzma"}),
        ("bz2", 2912, {"compression": "bz2"}),
        ("lz4", 2912, {"compression": "lz4"}),
        ("zstd", 2912, {"compression": "zstd"}),
        ("cortex-m4", 2913, {"compression": "heatshrink", "data_format": "arm-cortex-m4",
                             "from_code_end": 1024, "to_code_end": 1024}),
    ]:
        made = write(f"{name}.{kind}", patch(old, new, **options))
        index["refused"].append({"name": kind, **images, "patch": made, "error": error})
    write("firmware.heatshrink", patch(firmware(1), firmware(2), compression="heatshrink"))
    (HERE / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
