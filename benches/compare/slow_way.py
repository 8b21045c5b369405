"""A way to a server on which every answer takes longer. Arguments: its address, that of the server, milliseconds."""

import asyncio
import sys


async def main(address, to, delay):
    async def serve(reader, writer):
        far_reader, far_writer = await asyncio.open_connection(*to.split(":"))
        await asyncio.gather(carry(reader, far_writer, 0), carry(far_reader, writer, delay))

    server = await asyncio.start_server(serve, *address.split(":"))
    await server.serve_forever()


async def carry(reader, writer, delay):
    """Each piece is on its way for that long, however many are: a slow way is no narrow one."""
    loop = asyncio.get_running_loop()
    while piece := await reader.read(1 << 16):
        loop.call_later(delay, writer.write, piece)
    loop.call_later(delay, writer.close)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) / 1000))
