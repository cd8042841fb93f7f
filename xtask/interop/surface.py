#!/usr/bin/env python3
"""Sockets of every kind, opened here and looked for by `iotsec surface check`.

usage: surface.py path/to/iotsec work    (needs Linux)

Exit status 0 when just those that others can send to are found, with this process as their owner.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

MANIFEST = """
[product]
name = "Lamp"
model = "lamp-2"
vendor = "Example Lighting Ltd"
[serial]
prefix = "L2-"
[[surface.service]]
id = "declared"
purpose = "An example"
tcp = {port}
scope = "loopback"
authentication = "none"
"""


def listen(family, address):
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.bind(address)
    opened.listen()
    return opened


def datagram(family, address):
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.bind(address)
    return opened


def port(opened):
    return opened.getsockname()[1]


def main():
    iotsec, work = map(Path, sys.argv[1:])
    declared = listen(socket.AF_INET, ("127.0.0.1", 0))
    # Each with what it is called, or None where it waits for nobody.
    sockets = []

    def expect(name, opened):
        sockets.append((name, opened))

    tcp = listen(socket.AF_INET, ("127.0.0.1", 0))
    expect(f"tcp 127.0.0.1:{port(tcp)}", tcp)
    every = listen(socket.AF_INET, ("", 0))
    expect(f"tcp 0.0.0.0:{port(every)}", every)
    if socket.has_ipv6:
        six = listen(socket.AF_INET6, ("::1", 0))
        expect(f"tcp [::1]:{port(six)}", six)
        six = datagram(socket.AF_INET6, ("::", 0))
        expect(f"udp [::]:{port(six)}", six)
    udp = datagram(socket.AF_INET, ("127.0.0.1", 0))
    expect(f"udp 127.0.0.1:{port(udp)}", udp)
    connected = datagram(socket.AF_INET, ("127.0.0.1", 0))
    connected.connect(("127.0.0.1", port(udp)))
    expect(None, connected)
    expect(None, socket.create_connection(("127.0.0.1", port(tcp))))
    expect(None, socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    path = str(work / "a socket")
    Path(path).unlink(missing_ok=True)
    expect(f"unix {path}", listen(socket.AF_UNIX, path))
    expect("unix @iotsec-interop", listen(socket.AF_UNIX, "\0iotsec-interop"))
    expect("unix @iotsec-datagram", datagram(socket.AF_UNIX, "\0iotsec-datagram"))
    # The kernel makes up a name.
    expect(None, datagram(socket.AF_UNIX, ""))
    try:
        expect("raw 0.0.0.0 protocol 1", socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
        expect("packet 0x88cc", socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88CC)))
    except PermissionError:
        print("surface: raw and packet sockets NOT RUN, they need root")
    wanted = sorted(name for name, _ in sockets if name)

    manifest = work / "surface.toml"
    manifest.write_text(MANIFEST.format(port=port(declared)))
    command = [iotsec, "surface", "check", "--json", "--manifest", manifest, "--pid", str(os.getpid())]

    def check():
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        return done.returncode, json.loads(done.stdout)

    status, answer = check()
    found = sorted(finding["socket"] for finding in answer["findings"])
    if status != 1 or found != wanted:
        sys.exit(f"opened {wanted}\nfound {found}, exit status {status}")
    for finding in answer["findings"]:
        if finding["finding"] != "undeclared" or finding["pid"] != os.getpid():
            sys.exit(f"wrong: {finding}")
    for name, opened in sockets:
        if name:
            opened.close()
    status, answer = check()
    if status != 0 or not answer["clean"]:
        sys.exit(f"all closed, and there is still {answer['findings']}")
    print(f"surface: {len(wanted)} sockets found, {len(sockets) - len(wanted)} that wait for nobody left out")


main()
