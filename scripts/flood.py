"""What somebody without a key can send to a node, for measure-cluster.sh: flood.py KIND ADDRESS COUNT [SAMPLES].

noise    datagrams of random bytes; strange: well-formed ones of nobody; forged and replayed: datagrams of members as
         they were seen on the wire (SAMPLES, one a line in hex), with a bit turned, or as they are.
streams  connections whose first message is random bytes.
"""

import random
import socket
import struct
import sys
import time

kind, address, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
samples = [bytes.fromhex(line) for line in open(sys.argv[4])] if len(sys.argv) > 4 else []
chance = random.Random(1)


def datagram():
    if kind == "noise":
        return chance.randbytes(chance.randrange(1, 1400))
    if kind == "strange":
        # Version, sender's tag, boot, counter and nonce, then ciphertext (docs/wire-formats.md).
        return struct.pack("<BQI", 1, chance.getrandbits(64), 1) + chance.randbytes(200)
    sample = bytearray(chance.choice(samples))
    if kind == "forged":
        # A counter not seen yet, as a forger would choose it; the seal does not fit then.
        sample[13:21] = struct.pack("<Q", struct.unpack("<Q", sample[13:21])[0] + chance.randrange(1, 1 << 40))
    return bytes(sample)


if kind == "streams":
    open_ones = []
    for _ in range(count):
        stream = socket.socket()
        stream.settimeout(5)
        try:
            stream.connect((address, 4891))
            stream.send(chance.randbytes(256))
        except OSError:
            pass
        open_ones.append(stream)
        if len(open_ones) >= 100:
            open_ones.pop(0).close()
else:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(count):
        sender.sendto(datagram(), (address, 4891))
        if number % 50 == 49:
            time.sleep(0.002)
