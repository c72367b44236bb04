"""Writes datagrams to a port as they pass on this network namespace's bridge, one a line in hex: sniff.py DEVICE PORT
COUNT. Ends after COUNT of them or 10 seconds."""

import socket
import struct
import sys
import time

device, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
wire.bind((device, 3))
wire.settimeout(0.5)
deadline = time.monotonic() + 10
while count > 0 and time.monotonic() < deadline:
    try:
        frame = wire.recv(2048)
    except TimeoutError:
        continue
    head = 14 + (frame[14] & 15) * 4
    if frame[23] == 17 and struct.unpack(">H", frame[head + 2:head + 4])[0] == port:
        length = struct.unpack(">H", frame[head + 4:head + 6])[0]
        print(frame[head + 8:head + length].hex(), flush=True)
        count -= 1
