"""A real SMTP server on loopback for the tests.

Prints the port it listens on, then one line of JSON for each mail it accepted. Mails are treated by their
recipient: grey@ is put off the first two times, slow@ the first fifteen times, refused@ is refused for good, mute@
never gets an answer to the mail itself. Ends when its standard input is closed.
"""

import asyncio
import collections
import json
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self):
        self.seen = collections.Counter()

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        self.seen[address] += 1
        if local.startswith("grey") and self.seen[address] <= 2:
            return "451 4.7.1 Greylisted, try again later"
        if local.startswith("slow") and self.seen[address] <= 15:
            return "451 4.3.2 Try again later"
        if local.startswith("refused"):
            return "550 5.1.1 No such person here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        recipient = envelope.rcpt_tos[0]
        if recipient.startswith("mute"):
            await asyncio.sleep(3600)
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8", "replace"),
        }
        print(json.dumps(mail), flush=True)
        return "250 2.0.0 Accepted"


async def main():
    loop = asyncio.get_running_loop()
    handler = Handler()
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
