"""Consecutive versions of real modules as the zips that module proxies serve."""

import glob
import os
import re
import struct
import zipfile

MODULE = "bench.test"


def of(root):
    """{family: [(version, zip bytes), ...]}, oldest first: std-math of Tests/Data, and what measure-families.sh made."""
    found = {"std-math": std_math(f"{root}/Tests/Data/families/std-math")}
    for folder in sorted(glob.glob(f"{root}/.cache/families/*")):
        name = os.path.basename(folder)
        zips = {re.search(r"@(v.+)\.zip$", file)[1]: file for file in glob.glob(f"{folder}/*.zip")}
        if name != "std-math" and zips:
            found[name] = [(three(version), renamed(zips[version], name, three(version)))
                           for version in sorted(zips, key=order)]
    return found


def order(version):
    return [int(word) for word in re.findall(r"\d+", version)[:4]]


def std_math(path):
    """Tests/Data/families: a manifest, and every deflate stream once."""
    with open(path + ".bin", "rb") as file:
        streams = file.read()
    versions, entries = [], None
    with open(path + ".txt") as manifest:
        for line in manifest:
            words = line.split()
            if words[0] == "version":
                entries = []
                versions.append((three(words[1]), entries))
            elif words[0] != "module":
                start, count, size, crc = map(int, words[1:])
                entries.append((words[0], streams[start:start + count], size, crc))
    return [(version, write(f"{MODULE}/std-math@{version}", entries)) for version, entries in versions]


def three(version):
    """A version of three numbers: Python's packages of Go sometimes have a fourth."""
    return re.sub(r"^(v\d+\.\d+\.\d+)\.\d+$", r"\1", version)


def renamed(file, name, version):
    """The zip under a module path that a proxy serves (std/math is none), its deflate streams untouched."""
    entries = []
    with zipfile.ZipFile(file) as archive, open(file, "rb") as raw:
        for entry in archive.infolist():
            raw.seek(entry.header_offset + 26)
            name_length, extra_length = struct.unpack("<HH", raw.read(4))
            raw.seek(name_length + extra_length, 1)
            entries.append((entry.filename.partition("@")[2].partition("/")[2], raw.read(entry.compress_size),
                            entry.file_size, entry.CRC))
    return write(f"{MODULE}/{name}@{version}", entries)


def write(prefix, entries):
    """A zip as Go's writer makes it: deflated, sizes behind the data, no times."""
    out, directory = bytearray(), bytearray()
    for name, data, size, crc in entries:
        path = f"{prefix}/{name}".encode()
        offset = len(out)
        out += struct.pack("<IHHHIIIIHH", 0x04034B50, 20, 8, 8, 0, 0, 0, 0, len(path), 0) + path + data
        out += struct.pack("<IIII", 0x08074B50, crc, len(data), size)
        directory += struct.pack("<IHHHHIIIIHHHHHII", 0x02014B50, 20, 20, 8, 8, 0, crc, len(data), size, len(path), 0, 0, 0,
                                 0, 0, offset) + path
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(entries), len(entries), len(directory), len(out), 0)
    return bytes(out + directory + end)
