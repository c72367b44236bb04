"""An application-level relay that lets everything arrive later: python3 -m bench.relay PORT TARGET_PORT SECONDS.

Each direction is delayed by half of SECONDS, connecting included, without loss and without a limit of the rate other
than its window of 16 MiB.
"""

import asyncio
import sys

window = 16 << 20


async def forward(reader, writer, delay):
    """What was read at t is written at t + delay, in order."""
    loop = asyncio.get_running_loop()
    parts, held, room = asyncio.Queue(), 0, asyncio.Event()
    room.set()

    async def write():
        nonlocal held
        while (item := await parts.get())[1]:
            due, data = item
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            writer.write(data)
            await writer.drain()
            held -= len(data)
            room.set()

    writing = asyncio.create_task(write())
    try:
        while data := await reader.read(1 << 18):
            parts.put_nowait((loop.time() + delay, data))
            held += len(data)
            if held > window:
                room.clear()
                await room.wait()
        parts.put_nowait((0, b""))
        await writing
    except ConnectionError:
        writing.cancel()
    finally:
        writer.close()


async def main(port, target, seconds):
    delay = float(seconds) / 2

    async def pair(reader, writer):
        await asyncio.sleep(2 * delay)  # a connection is usable after one round trip
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(target), limit=1 << 18)
        except OSError:
            return writer.close()
        await asyncio.gather(forward(reader, far_writer, delay), forward(far_reader, writer, delay),
                             return_exceptions=True)

    server = await asyncio.start_server(pair, "127.0.0.1", int(port), limit=1 << 18, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
