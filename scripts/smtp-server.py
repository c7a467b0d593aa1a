"""The mail server of the tests: takes letters, says what it saw, and fails in the ways it is told to.

Started by scripts/smtp-server. One JSON object a line on standard output:
  {"event": "listening", "port": 2525}
  {"event": "mail", "file": "...", "from": "...", "to": ["..."], "tls": true, "user": "...", "headers": [["Subject", "..."]],
   "subject": "...", "text": "...", "html": "...", "raw_head": "..."}     decoded by Python's own e-mail package
  {"event": "recipient", "address": "...", "code": 450}
  {"event": "connection"}, {"event": "sign_in", "user": "...", "right": false}, {"event": "dropped"}
"""

import argparse
import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def arguments():
    parser = argparse.ArgumentParser(prog="smtp-server")
    parser.add_argument("directory", type=pathlib.Path, help="where letters are kept")
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("--tls", choices=["none", "starttls", "tls"], default="none")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="takes nothing from anybody else")
    parser.add_argument("--later", type=int, default=0, metavar="N", help="answers 450 to the first N recipients")
    parser.add_argument("--refuse", action="append", default=[], metavar="ADDRESS", help="answers 550 5.1.1 to it")
    parser.add_argument("--relay-denied", action="store_true", help="answers 554 5.7.1 to every recipient")
    parser.add_argument("--refuse-sender", action="store_true", help="answers 553 5.1.8 to every sender")
    parser.add_argument("--refuse-content", action="store_true", help="answers 554 5.7.1 to every letter")
    parser.add_argument("--silent", action="store_true", help="never answers when a letter was handed over")
    parser.add_argument("--drop", type=int, default=0, metavar="N", help="hangs up in the first N letters")
    parser.add_argument("--inject", action="store_true", help="says more in the clear behind the answer to STARTTLS")
    parser.add_argument("--utf8", action="store_true", help="offers SMTPUTF8")
    return parser.parse_args()


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class Letters:
    """What is taken and what is refused."""

    def __init__(self, options):
        self.options, self.later, self.drop, self.count = options, options.later, options.drop, 0

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if self.options.refuse_sender:
            return "553 5.1.8 this sender is not known here"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        answer = "250 OK"
        if self.later > 0:
            self.later -= 1
            answer = "450 4.2.1 come back later"
        elif address in self.options.refuse:
            answer = "550 5.1.1 nobody has this address"
        elif self.options.relay_denied:
            answer = "554 5.7.1 relay access denied"
        say("recipient", address=address, code=int(answer[:3]))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        if self.drop > 0:
            self.drop -= 1
            say("dropped")
            server.transport.abort()
            return "421 gone"
        if self.options.silent:
            say("silent")
            await asyncio.sleep(3600)
        if self.options.refuse_content:
            return "554 5.7.1 this looks like nothing anybody wants"
        self.count += 1
        path = self.options.directory / f"{self.count:04}.eml"
        path.write_bytes(envelope.original_content)
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        say(
            "mail",
            file=str(path),
            to=envelope.rcpt_tos,
            tls=session.ssl is not None or self.options.tls == "tls",
            user=session.auth_data,
            headers=[[name, str(value)] for name, value in message.items()],
            subject=str(message["Subject"]),
            text=text.get_content() if text else None,
            html=html.get_content() if html else None,
            raw_head=envelope.original_content.split(b"\r\n\r\n")[0].decode("ascii", "backslashreplace"),
            **{"from": envelope.mail_from},
        )
        return "250 2.0.0 taken"


class Server(SMTP):
    """The server with what it can be told to do wrong."""

    inject = False

    def connection_made(self, transport):
        if self.transport is None:
            say("connection")
        super().connection_made(transport)

    async def smtp_STARTTLS(self, arg):
        push = self.push

        async def push_more(status):
            self.push = push
            more = "\r\n250-localhost\r\n250 AUTH PLAIN LOGIN" if self.inject else ""
            return await push(status + more)

        self.push = push_more
        return await super().smtp_STARTTLS(arg)


def authenticator(wanted):
    def check(server, session, envelope, mechanism, data):
        user, password = data.login.decode(), data.password.decode()
        right = f"{user}:{password}" == wanted
        say("sign_in", user=user, right=right, mechanism=mechanism)
        return AuthResult(success=right, handled=False, auth_data=user if right else None)

    return check


async def serve(options):
    options.directory.mkdir(exist_ok=True)
    context = None
    if options.tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.directory / "server.pem", options.directory / "server.key")
    letters = Letters(options)

    def connection():
        server = Server(
            letters,
            hostname="localhost",
            enable_SMTPUTF8=options.utf8,
            tls_context=context if options.tls == "starttls" else None,
            require_starttls=options.tls == "starttls",
            auth_required=options.auth is not None,
            auth_require_tls=options.tls == "starttls",
            authenticator=authenticator(options.auth) if options.auth else None,
        )
        server.inject = options.inject
        return server

    loop = asyncio.get_running_loop()
    tls = context if options.tls == "tls" else None
    listener = await loop.create_server(connection, "127.0.0.1", options.port, ssl=tls)
    say("listening", port=listener.sockets[0].getsockname()[1])
    await listener.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(serve(arguments()))
    except KeyboardInterrupt:
        sys.exit(0)
