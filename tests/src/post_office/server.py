"""A real SMTP server (aiosmtpd) with STARTTLS and AUTH, and faults on demand.

    server.py PORT FOLDER CERTIFICATE KEY

One dot for each conversation is written into FOLDER/conversations. Mails are delivered into FOLDER/Maildir and, read by Python's own parser, as one JSON line each into FOLDER/letters.jsonl.
Before each mail the file FOLDER/mood is read:

    ok                deliver
    greylist          451 the first time a recipient is seen, deliver afterwards
    deferred          451 always
    reject ADDRESS    550 for this recipient, deliver to all others
    stall             never answer
    stall SECONDS     answer after so many seconds, and deliver
    drop              close the connection in the middle of DATA, deliver nothing
    forget            deliver, and close the connection before saying so
    busy              421 instead of a greeting
    closed            554 instead of a greeting
    locked            535 for whoever logs in
    stranger          550 for the sender's address, whoever the recipient is
    too big           552 once the message is there, deliver nothing
"""

import asyncio
import email
import email.policy
import json
import mailbox
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

PORT, FOLDER, CERTIFICATE, KEY = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
BOX = mailbox.Maildir(FOLDER / "Maildir", create=True)
SEEN = set()


def mood():
    try:
        return (FOLDER / "mood").read_text().strip() or "ok"
    except FileNotFoundError:
        return "ok"


class Counter(SMTP):
    """What goes wrong before or beneath what a handler sees."""

    async def push(self, status):
        if isinstance(status, str) and status.startswith("220 ") and self.session.host_name is None:
            with open(FOLDER / "conversations", "a", encoding="utf-8") as out:
                out.write(".")
            now = mood()
            if now in ("busy", "closed") and not self.session.ssl:
                await super().push("421 4.3.2 Too busy" if now == "busy" else "554 5.3.2 No service here")
                self.transport.close()
                return
        await super().push(status)

    async def smtp_DATA(self, arg):
        if mood() != "drop":
            await super().smtp_DATA(arg)
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        await self._reader.readline()
        self.transport.abort()


class Office:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if mood() == "stranger":
            return "550 5.7.1 Not a sender of ours"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        now = mood()
        if now == "deferred" or (now == "greylist" and address not in SEEN):
            SEEN.add(address)
            return "451 4.7.1 Greylisted, please try again"
        if now == f"reject {address}":
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        now = mood()
        if now.split()[0] == "stall":
            await asyncio.sleep(float((now.split() + ["3600"])[1]))
        if now == "too big":
            return "552 5.3.4 Too big for us"
        self.deliver(envelope)
        if now == "forget":
            server.transport.abort()
            return "421 gone"
        return "250 2.0.0 Delivered"

    def deliver(self, envelope):
        BOX.add(mailbox.MaildirMessage(envelope.content))
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        letter = {
            "id": message["Message-ID"],
            "to": envelope.rcpt_tos[0],
            "from": message["From"],
            "subject": message["Subject"],
            "auto_submitted": message["Auto-Submitted"],
            "text": text.get_content() if text else "",
            "html": html.get_content() if html else "",
        }
        with open(FOLDER / "letters.jsonl", "a", encoding="utf-8") as out:
            out.write(json.dumps(letter, ensure_ascii=False) + "\n")


def authenticate(server, session, envelope, mechanism, data):
    right = mood() != "locked" and data.login == b"school" and data.password == b"a word nobody knows"
    # Not handled: the server itself says 535.
    return AuthResult(success=right, handled=right)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)

    def session():
        return Counter(
            Office(),
            hostname="post.example",
            tls_context=context,
            require_starttls=True,
            authenticator=authenticate,
            auth_required=True,
            enable_SMTPUTF8=True,
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", PORT)
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
