"""BitTorrent by libtorrent with its default settings, for crowd.sh; nobody is found but those who are named.

python3 -m bench.torrent make FILE PIECE TORRENT
python3 -m bench.torrent seed ADDRESS TORRENT FOLDER SENT [super]       until SIGTERM; SENT gets the bytes uploaded
python3 -m bench.torrent peer ADDRESS TORRENT FOLDER TIME START PEER... TIME gets the nanoseconds from START to whole, also until SIGTERM
"""

import os
import signal
import sys
import time

import libtorrent

PORT = 6881


def make(file, piece, torrent):
    storage = libtorrent.file_storage()
    libtorrent.add_files(storage, file)
    creator = libtorrent.create_torrent(storage, int(piece), libtorrent.create_torrent.v1_only)
    libtorrent.set_piece_hashes(creator, os.path.dirname(file))
    with open(torrent, "wb") as out:
        out.write(libtorrent.bencode(creator.generate()))


def open_session(address, torrent, folder, flags=0):
    session = libtorrent.session({
        "listen_interfaces": f"{address}:{PORT}", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
        "enable_natpmp": False})
    wanted = libtorrent.add_torrent_params()
    wanted.ti = libtorrent.torrent_info(torrent)
    wanted.save_path = folder
    wanted.flags = (wanted.flags | flags) & ~libtorrent.torrent_flags.auto_managed & ~libtorrent.torrent_flags.paused
    return session, session.add_torrent(wanted)


def seed(address, torrent, folder, sent, kind=""):
    flags = libtorrent.torrent_flags.seed_mode
    if kind == "super":
        flags |= libtorrent.torrent_flags.super_seeding
    session, handle = open_session(address, torrent, folder, flags)
    until_told()
    with open(sent, "w") as out:
        out.write(str(handle.status().total_payload_upload))


def peer(address, torrent, folder, taken, start, *peers):
    session, handle = open_session(address, torrent, folder)
    time.sleep(max(0, int(start) - time.time()))
    for other in peers:
        handle.connect_peer((other, PORT))
    end = time.time() + 600
    while not handle.status().is_seeding:
        if time.time() > end:
            sys.exit(f"not whole after 600 s: {handle.status().progress:.0%}")
        time.sleep(0.02)
    with open(taken, "w") as out:
        out.write(str(int((time.time() - int(start)) * 1e9)))
    handle.flush_cache()
    until_told()  # it goes on giving what it has, as clients do


def until_told():
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    while not ended:
        time.sleep(0.05)


if __name__ == "__main__":
    {"make": make, "seed": seed, "peer": peer}[sys.argv[1]](*sys.argv[2:])
