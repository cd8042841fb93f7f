#!/usr/bin/env python3
"""A TLS server that does what none should, to one client: PORT=N tls_hostile.py MODE CHAIN KEY

The server is tlslite-ng; each mode changes what it sends. Prints READY when it listens.
"""
import os
import socket
import sys
import time

from tlslite import api, constants, messages, tlsconnection
from tlslite.utils import keyfactory

MODE, CHAIN, KEY = sys.argv[1:4]
# How many bytes of the server's flight come through: within ServerHello, within Certificate, within Finished.
CUTS = {"cut_hello": 60, "cut_certificate": 400, "cut_finished": 650}


class Line:
    """A socket that changes what is sent."""

    def __init__(self, inner):
        self.inner, self.sent = inner, 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def sendall(self, data):
        data = bytes(data)
        limit = CUTS.get(MODE)
        if MODE == "drip":
            for byte in data:
                self.inner.sendall(bytes([byte]))
                time.sleep(0.02)
            return
        if MODE.startswith("stall"):
            limit = {"stall_hello": 60, "stall_certificate": 400}[MODE]
        if limit is not None and self.sent + len(data) > limit:
            self.inner.sendall(data[:limit - self.sent])
            if MODE.startswith("stall"):
                time.sleep(20)
            self.inner.shutdown(socket.SHUT_WR)
            time.sleep(0.2)
            sys.exit()
        self.sent += len(data)
        self.inner.sendall(data)
        if MODE == "garbage_after_hello":
            self.inner.sendall(bytes([23, 3, 3, 1, 0]) + os.urandom(256))

    def send(self, data):
        self.sendall(data)
        return len(data)


def raw(stream):
    """Modes that need no TLS at all."""
    stream.recv(4096)

    def hello(version, suite, extensions=b""):
        body = version + os.urandom(32) + b"\0" + suite + b"\0"
        body += len(extensions).to_bytes(2, "big") + extensions
        message = b"\x02" + len(body).to_bytes(3, "big") + body
        return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message

    v13 = b"\x00\x2b\x00\x02\x03\x04"
    share = b"\x00\x33\x00\x24\x00\x1d\x00\x20" + os.urandom(32)
    answers = {
        "garbage": os.urandom(4096),
        "huge_record": b"\x16\x03\x03\xff\xff" + bytes(65535),
        "huge_message": b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + bytes(16380),
        "force12": hello(b"\x03\x03", b"\xc0\x2b"),
        "force11": hello(b"\x03\x02", b"\xc0\x09"),
        # P-521, for which no key was sent, and a suite with CCM, which was not offered.
        "wrong_group": hello(b"\x03\x03", b"\x13\x01", v13 + b"\x00\x33\x00\x89\x00\x19\x00\x85\x04" + bytes(132)),
        "wrong_suite": hello(b"\x03\x03", b"\x13\x05", v13 + share),
    }
    stream.sendall(answers[MODE])
    time.sleep(0.5)


def settings():
    versions = {"tls12": ((3, 3), (3, 3)), "tls11": ((3, 2), (3, 2))}
    low, high = versions.get(MODE, ((3, 4), (3, 4)))
    found = api.HandshakeSettings()
    found.minVersion, found.maxVersion = low, high
    return found


def tamper():
    """Changes messages before they are sent."""
    if MODE == "bad_finished":
        real = messages.Finished.create

        def create(self, verify_data):
            changed = bytearray(verify_data)
            changed[0] ^= 1
            return real(self, changed)
        messages.Finished.create = create
    if MODE == "bad_signature":
        real = messages.CertificateVerify.create

        def create(self, signature, algorithm=None):
            changed = bytearray(signature)
            changed[-1] ^= 1
            return real(self, changed, algorithm)
        messages.CertificateVerify.create = create
    if MODE == "no_certificate":
        real = messages.Certificate.create

        def create(self, chain, context=b""):
            return real(self, None, context)
        messages.Certificate.create = create


def main():
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    print("READY", flush=True)
    stream, _ = listener.accept()
    if MODE in ("garbage", "huge_record", "huge_message", "force12", "force11", "wrong_group", "wrong_suite"):
        return raw(stream)
    chain = api.X509CertChain()
    chain.parsePemList(open(CHAIN).read())
    key = api.parsePEMKey(open(KEY).read(), private=True)
    if MODE == "other_key":
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        key = api.parsePEMKey(other.decode(), private=True)
    tamper()
    connection = api.TLSConnection(Line(stream))
    try:
        connection.handshakeServer(certChain=chain, privateKey=key, settings=settings())
        time.sleep(0.5)
    except Exception as error:  # what the client thinks of it is what counts
        print(type(error).__name__, error, flush=True)


main()
