#!/usr/bin/env python3
"""A reader of images of the store, written from iotsec-store/FORMAT.md alone.

usage: store.py IMAGE --page BYTES --word BYTES --erased HEX --root HEX [--device-only] [--cipher NUMBER]
                [--replay KIND COUNTER] [--flip BIT]
       store.py < JOBS    one such line of arguments for each image

--device-only says that the store is to have no user domain. NUMBER is that of the cipher that the device has, 0 if
nothing is said. KIND is each-page or each-write, COUNTER what the device's counter is at. --flip changes one bit before
reading.

Prints a line of JSON for each image. If it is refused: why. Else the sequence numbers of the newest and the oldest page,
the generation of the user key, what the log says that the counter is at, and for each key its domain, namespace, number
and value: in hex, a number for a count, "damaged", or "lost" where the user key is. Needs cryptography.
"""

import argparse
import functools
import hmac
import json
import shlex
import struct
import sys
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

VERSION, NO_USER_DOMAIN = 2, 0x80
KEY_PAGE, HEAD, RECORD, TAG = 84, 64, 8, 16
PUT, REMOVE, ERASE, DAMAGED, COMMIT, COUNT = 1, 2, 3, 4, 5, 6
MASK_64 = (1 << 64) - 1


class Refused(Exception):
    """The image is not a store that may be used."""


def hmac_sha256(key, message):
    return hmac.digest(key, message, "sha256")


def hkdf(salt, secret, label, length=32):
    """RFC 5869."""
    key = hmac_sha256(salt, secret)
    block, blocks = b"", b""
    for number in range(1, -(-length // 32) + 1):
        block = hmac_sha256(key, block + label + bytes([number]))
        blocks += block
    return blocks[:length]


def aes_256_gcm_siv(key, nonce, sealed, data):
    try:
        return AESGCMSIV(key).decrypt(nonce, sealed, data)
    except InvalidTag:
        return None


def chacha20_hmac_siv(key, nonce, sealed, data):
    ciphertext, tag = sealed[:-TAG], sealed[-TAG:]
    message_key = hmac_sha256(key, b"iotsec/siv/key/1" + tag)
    # Four bytes of counter, and the nonce.
    text = Cipher(algorithms.ChaCha20(message_key, bytes(16)), mode=None).decryptor().update(ciphertext)
    wanted = hmac_sha256(key, b"iotsec/siv/tag/1" + nonce + struct.pack("<Q", len(data)) + data + text)[:TAG]
    return text if hmac.compare_digest(tag, wanted) else None


CIPHERS = [aes_256_gcm_siv, chacha20_hmac_siv]


@functools.lru_cache(1 << 14)
def unseal(cipher, key, nonce, sealed, data):
    """The plaintext, or None."""
    return CIPHERS[cipher](key, nonce, sealed, data)


class Root:
    def __init__(self, key):
        derive = functools.partial(hkdf, b"iotsec/root/v1", key)
        self.wrap_key = derive(b"iotsec/store/wrap-key/v2")
        self.device_secret = derive(b"iotsec/store/device/v2")
        self.salt = derive(b"iotsec/store/salt/v2")


root_of = functools.lru_cache(Root)


class Geometry:
    def __init__(self, image, page, word, erased, device_only, cipher):
        self.image, self.page, self.word, self.erased = image, page, word, erased
        self.device_only, self.cipher = device_only, cipher
        if len(image) % page or page % word:
            raise Refused("Layout")
        self.pages = len(image) // page
        self.key_pages = 0 if device_only else 1
        self.data_pages = self.pages - self.key_pages
        self.head = self.words(HEAD)
        self.longest = (page - self.head) // 2 // word * word

    def words(self, length):
        return -(-length // self.word) * self.word

    def key_page(self):
        return self.image[:self.page]

    def data_page(self, number):
        return self.image[(self.key_pages + number) * self.page:][:self.page]

    def is_erased(self, data):
        return data.count(self.erased) == len(data)


class UserKey:
    """Page 0. `key` is None if it is not whole, or sealed with another cipher; `names_other` if it says so."""

    def __init__(self, flash, root):
        self.key, self.generation, self.names_other = None, 0, False
        if flash.device_only:
            return
        page = flash.key_page()
        clear, sealed = page[:24], page[36:KEY_PAGE]
        self.key = unseal(flash.cipher, root.wrap_key, page[24:36], sealed, clear)
        magic, version, _domain, _, self.generation, *geometry, cipher = struct.unpack("<4sBBHIIIHBB", clear)
        self.names_other = magic == b"iSK1" and cipher < len(CIPHERS) and cipher != flash.cipher
        if self.key is None:
            self.generation = 0
            return
        if version != VERSION:
            raise Refused("Version")
        if [*geometry, cipher] != [flash.page, flash.pages, flash.word, flash.erased, flash.cipher]:
            raise Refused("Geometry")


class Head:
    """Of a data page. `authentic` says whether the rest holds. What is known of it, salt and number, is not read."""

    def __init__(self, flash, root, number, known=None):
        page = flash.data_page(number)
        self.salt, self.sequence = known or (page[:16], int.from_bytes(page[16:20], "little"))
        key = hkdf(self.salt, root.device_secret, b"iotsec/store/page-key/v2")
        data = b"iotsec/store/page/v2" + self.salt + struct.pack(
            "<IBBHII", self.sequence, VERSION | (NO_USER_DOMAIN if flash.device_only else 0), flash.erased, flash.word, flash.page, flash.pages)
        content = unseal(flash.cipher, key, struct.pack("<IQ", self.sequence, 0), page[20:HEAD], data)
        self.in_place = self.sequence >= 1 and (self.sequence - 1) % flash.data_pages == number
        self.authentic = content is not None and self.in_place
        if self.authentic:
            (self.oldest, self.before_end, self.doubtful, flags, self.generation, self.before_sum, copies,
             counter) = struct.unpack("<IIHHIIH6s", content)
            self.in_transaction = bool(flags & 1)
            self.copies_end = copies * flash.word
            self.counter = int.from_bytes(counter, "little")


class Record:
    """One whose header is in order. `value` is None if its tag is not."""

    def __init__(self, header, place, offset, size, name, term):
        first, length = header[0], int.from_bytes(header[1:3], "little")
        self.header, self.place, self.offset, self.size = header, place, offset, size
        self.name, self.term = name, term
        self.kind, self.domain = first & 7, first >> 3 & 1
        self.begins, self.belongs = bool(first & 16), bool(first & 32)
        self.for_good, self.copy = bool(first & 64), bool(first & 128)
        self.length, self.chunk = length & 0xFFF, length >> 12
        self.value = None

    @property
    def key(self):
        return self.domain, self.name

    @property
    def is_to_be_replaced(self):
        return self.copy and self.begins

    @property
    def waits(self):
        return (self.begins or self.belongs) and not self.is_to_be_replaced

    @property
    def needs_user_key(self):
        return self.domain == 1 and self.kind in (PUT, COUNT)


class Log:
    """Reads records at their places."""

    def __init__(self, flash, root, salt, user_key, generation):
        self.flash = flash
        self.key_generation = generation
        derive = functools.partial(hkdf, salt, root.device_secret)
        self.header_key = derive(b"iotsec/store/header-key/v2")
        self.record_keys = [derive(b"iotsec/store/record-key/device/v2"), None]
        if user_key is not None:
            self.record_keys[1] = hkdf(root.salt, user_key, b"iotsec/store/record-key/user/v2")

    def place_name_term(self, header, sequence, offset):
        place = struct.pack("<II", sequence, offset)
        a, b, c, m = struct.unpack("<4Q", hmac_sha256(self.header_key, b"iotsec/store/header/v2" + place))
        name = int.from_bytes(header[3:6], "little") ^ m & 0xFFFFFF
        return place, name, a * int.from_bytes(header[:3], "little") + b * name + c & MASK_64

    def is_header(self, header, sequence, offset):
        """Whether its check and its kind are right at this place, of whatever page."""
        if len(header) < RECORD or not PUT <= header[0] & 7 <= COUNT or header[0] & 0x30 == 0x30:
            return False
        _, _, term = self.place_name_term(header, sequence, offset)
        return int.from_bytes(header[6:], "little") == term >> 48

    def record(self, sequence, offset):
        """The record at a place, or None if its header is not in order."""
        flash = self.flash
        page = flash.data_page((sequence - 1) % flash.data_pages)
        header = page[offset:offset + RECORD]
        if not self.is_header(header, sequence, offset):
            return None
        place, name, term = self.place_name_term(header, sequence, offset)
        kind, length = header[0] & 7, int.from_bytes(header[1:3], "little") & 0xFFF
        tag = 4 if kind == COUNT else TAG
        size = flash.words(RECORD + length + tag)
        if offset + size > flash.page or flash.device_only and header[0] & 8:
            return None
        record = Record(header, place, offset, size, name, term)
        self.open(record, page[offset + RECORD:offset + RECORD + length + tag])
        return record

    def open(self, record, sealed):
        key = self.record_keys[record.needs_user_key]
        if key is None:
            return
        data = b"iotsec/store/r/2" + record.place + struct.pack("<I", record.name) + record.header
        if record.kind == COUNT:
            masked, tag = sealed[:4], sealed[4:]
            mask = hmac_sha256(key, b"iotsec/store/count-mask/v2" + data + tag)
            number = bytes(x ^ y for x, y in zip(masked, mask))
            wanted = hmac_sha256(key, b"iotsec/store/count-tag/v2" + data + number)[:4]
            record.value = number if hmac.compare_digest(tag, wanted) else None
        else:
            record.value = unseal(self.flash.cipher, key, record.place + bytes(4), sealed, data)

    def may_be_whole(self, record, generation):
        if record.needs_user_key and (self.record_keys[1] is None or self.key_generation != generation):
            return True
        return record.value is not None

    def chain(self, sequence, offset, end):
        """Records from `offset` on, until one is not in order or they reach `end`."""
        records = []
        while offset < end:
            record = self.record(sequence, offset)
            if record is None:
                break
            records.append(record)
            offset += record.size
        return records, offset


class Contents:
    """What records mean. A key's chunks are by number; one that is to be removed has none."""

    def __init__(self):
        self.counting, self.waiting, self.generation = {}, {}, 0
        # Places of records that count unless a commit follows.
        self.to_be_replaced = set()
        # Counts where it stands once more.
        self.doubtful_commit = False

    def begin_page(self, head):
        if head.generation > self.generation:
            self.erase_user()
        self.generation = head.generation
        self.copies_end = head.copies_end
        if not head.in_transaction:
            self.void()

    def apply_doubtful(self, record):
        if record.kind == COMMIT:
            self.doubtful_commit = True
        else:
            self.apply(record)

    def is_same_chunk(self, record):
        """A copy that was made when its page was opened; one behind those has the effect of what it repeats."""
        return record.copy and record.offset < self.copies_end

    def apply(self, record):
        if record.value is None and record.kind in (ERASE, COMMIT):
            raise Refused("Tampered")
        if record.kind == COMMIT:
            self.commit()
            return
        if not record.copy and not record.belongs:
            self.void()
        if record.kind == ERASE:
            self.generation = int.from_bytes(record.value, "little")
            self.erase_user()
            return
        if record.is_to_be_replaced:
            self.to_be_replaced.add(record.place)
        where = self.waiting if record.waits else self.counting
        before = where.get(record.key, {})
        if record.kind == REMOVE:
            where[record.key] = {} if record.value is not None else {0: record}
        elif self.is_same_chunk(record) or record.waits and all(record.chunk < chunk for chunk in before):
            where[record.key] = before | {record.chunk: record}
        else:
            where[record.key] = {record.chunk: record}

    def erase_user(self):
        self.counting = {key: chunks for key, chunks in self.counting.items() if key[0] != 1}

    def commit(self):
        for chunks in self.counting.values():
            for number in [number for number, record in chunks.items() if record.place in self.to_be_replaced]:
                del chunks[number]
        self.counting.update(self.waiting)
        self.doubtful_commit = False
        self.void()

    def void(self):
        self.waiting, self.to_be_replaced = {}, set()

    def end(self):
        if self.doubtful_commit:
            self.commit()
        self.void()
        self.counting = {key: chunks for key, chunks in self.counting.items() if 0 in chunks}

    def uses_user_key(self):
        return any(domain == 1 for domain, _ in self.counting)

    def values(self, key_lost):
        return [[domain, name >> 16, name & 0xFFFF, "lost" if key_lost and domain == 1 else self.value(chunks)]
                for (domain, name), chunks in sorted(self.counting.items())]

    @staticmethod
    def value(chunks):
        records = [chunks[number] for number in sorted(chunks)]
        if any(record.kind not in (PUT, COUNT) or record.value is None for record in records):
            return "damaged"
        if records[0].kind == COUNT:
            return int.from_bytes(records[0].value, "little")
        return b"".join(record.value for record in records).hex()


def counts_by_itself(record):
    return not record.waits and not record.copy


def read(flash, root, replay):
    user_key = UserKey(flash, root)
    seen = [Head(flash, root, number) for number in range(flash.data_pages)]
    heads = [head for head in seen if head.authentic]
    if not heads:
        raise Refused(mismatch(flash, root, user_key) if user_key.key is None else "Unformatted")
    newest = max(heads, key=lambda head: head.sequence)
    run = range(newest.oldest, newest.sequence + 1)
    if not 1 <= len(run) < flash.data_pages or newest.oldest < 1:
        raise Refused("Tampered")
    by_sequence = {sequence: Head(flash, root, (sequence - 1) % flash.data_pages, (newest.salt, sequence))
                   for sequence in run[:-1]} | {newest.sequence: newest}
    if not all(head.authentic for head in by_sequence.values()):
        raise Refused("Tampered")
    log = Log(flash, root, newest.salt, user_key.key, user_key.generation)
    check_unopened(log, newest.sequence + 1)

    contents = Contents()
    for sequence in run[:-1]:
        contents.begin_page(by_sequence[sequence])
        closed_page(log, sequence, by_sequence[sequence + 1], contents)
    contents.begin_page(newest)
    records = newest_page(log, newest, contents)
    contents.end()

    counter = newest.counter
    if counter and replay[0] == "each-write":
        counter += sum(map(counts_by_itself, records))
    check_counter(counter, *replay)

    key_lost = False
    if user_key.generation > contents.generation:
        contents.generation = user_key.generation
        contents.erase_user()
    elif user_key.generation < contents.generation:
        key_lost = contents.uses_user_key()
    return {
        "sequence": newest.sequence,
        "oldest": newest.oldest,
        "generation": contents.generation,
        "counter": counter,
        "keys": contents.values(key_lost),
    }


def mismatch(flash, root, user_key):
    """Why no head is authentic."""
    answer = "Unformatted"
    for number in range(flash.pages):
        page = flash.image[number * flash.page:][:flash.page]
        salt, sequence = page[:16], int.from_bytes(page[16:20], "little")
        if sequence == 0:
            continue
        belongs = (sequence - 1) % flash.data_pages + flash.key_pages == number
        trace = has_trace(flash, Log(flash, root, salt, None, 0), page, sequence)
        if flash.device_only:
            if trace or number == 0 and page.startswith(b"iSK1"):
                return "Geometry"
        elif trace and not belongs:
            return "Geometry"
        elif belongs and (trace or sequence != 0xFFFFFFFF and user_key.names_other):
            answer = "Cipher"
    return answer


def has_trace(flash, log, page, sequence):
    offset = 64
    while offset <= max(256, flash.head) and offset < flash.page:
        if log.is_header(page[offset:offset + RECORD], sequence, offset):
            return True
        offset *= 2
    return False


def check_counter(counter, kind, reached):
    if (kind == "none") != (counter == 0):
        raise Refused("ReplayProtection")
    if kind != "none" and counter < reached:
        raise Refused("RolledBack")
    if kind != "none" and counter > reached + 1:
        raise Refused("Counter")


def closed_page(log, sequence, following, contents):
    """Applies the records of a page that has one behind it."""
    records, end = log.chain(sequence, log.flash.head, following.before_end)
    total = sum(record.term for record in records) & MASK_64
    if end != following.before_end or total >> 32 != following.before_sum:
        raise Refused("Tampered")
    for record in records:
        contents.apply(record)
    if following.doubtful:
        last = log.record(sequence, end)
        if last is not None and log.may_be_whole(last, contents.generation):
            contents.apply_doubtful(last)


def newest_page(log, head, contents):
    """Applies the records of the page behind which there is none, and returns them."""
    flash = log.flash
    copies, end = log.chain(head.sequence, flash.head, head.copies_end)
    if end != head.copies_end:
        raise Refused("Tampered")
    records, end = log.chain(head.sequence, end, flash.page)
    torn = end + flash.longest
    last = records.pop() if records else None
    for record in copies + records:
        contents.apply(record)
    if last is not None and not log.may_be_whole(last, contents.generation):
        last, torn = None, last.offset + flash.longest
    if last is not None:
        contents.apply_doubtful(last)
        records.append(last)
    page = flash.data_page((head.sequence - 1) % flash.data_pages)
    if not flash.is_erased(page[torn:torn + flash.words(RECORD + 4 + TAG)]):
        raise Refused("Tampered")
    return records


def check_unopened(log, sequence):
    """No record but copies is in the page that is opened next: else it has lost its head."""
    records, _ = log.chain(sequence, log.flash.head, log.flash.page)
    first = next((record for record in records if not record.copy), None)
    if first is not None and first.value is not None:
        raise Refused("Tampered")


def answer(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("image", type=Path)
    parser.add_argument("--page", type=int, required=True)
    parser.add_argument("--word", type=int, required=True)
    parser.add_argument("--erased", type=lambda text: int(text, 16), required=True)
    parser.add_argument("--root", type=bytes.fromhex, required=True)
    parser.add_argument("--device-only", action="store_true")
    parser.add_argument("--cipher", type=int, choices=range(len(CIPHERS)), default=0)
    parser.add_argument("--replay", nargs=2, default=["none", "0"])
    parser.add_argument("--flip", type=int)
    options = parser.parse_args(arguments)
    image = bytearray(options.image.read_bytes())
    if options.flip is not None:
        image[options.flip // 8] ^= 1 << options.flip % 8
    kind, reached = options.replay
    try:
        flash = Geometry(bytes(image), options.page, options.word, options.erased, options.device_only,
                         options.cipher)
        return read(flash, root_of(options.root), (kind, int(reached)))
    except Refused as refused:
        return {"refused": str(refused)}


def main():
    jobs = [sys.argv[1:]] if len(sys.argv) > 1 else map(shlex.split, sys.stdin)
    for job in jobs:
        print(json.dumps(answer(job)))


if __name__ == "__main__":
    main()
