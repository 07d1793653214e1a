"""The command line: `marquee up|serve|worker|migrate|migration|demo|import|user|mail`."""

import argparse
import asyncio
import getpass
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from marquee import __version__, db, settings
from marquee.children import Failure
from marquee.processes import follow_parent
from marquee.settings import BadSetting, Settings
from marquee.web import logs

UNDEFINED_TABLE = "42P01"
"""The SQLSTATE of PostgreSQL for a table that is not there."""

INTERRUPTED = 128 + signal.SIGINT
Command = Callable[[argparse.Namespace, Settings], int]


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = _parser()
    options = parser.parse_args(words)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        if getattr(options, "workers", None) is not None:
            # Where the processes of the server find it too, which share their counts by it.
            os.environ["MARQUEE_WORKERS"] = str(options.workers)
        values = settings.current()
        logs.configure(values.log_level)
        command: Command = options.command
        return command(options, values)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BadSetting, Failure) as error:
        return _fail(str(error))
    except OperationalError as error:
        return _fail(f"The database cannot be reached: {str(error.orig).splitlines()[0]}")
    except (ProgrammingError, psycopg2.ProgrammingError) as error:
        if getattr(getattr(error, "orig", error), "pgcode", None) != UNDEFINED_TABLE:
            raise
        return _fail("The database has no tables of this version: run `marquee migrate` first.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="marquee", description="One API for film and television.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Command, help_: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_, description=help_)
        made.set_defaults(command=command)
        return made

    add("up", up, "start all of it: database, server, worker")
    add("serve", serve, "start the server").add_argument(
        "--workers", type=int, help="server processes"
    )
    add("worker", worker, "start a worker")
    add("migrate", migrate, "bring the database's tables to this version")
    migration = add("migration", new_migration, "write a migration from what the models changed")
    migration.add_argument("-m", "--message", required=True)
    demo_ = add("demo", demo, "load the demo catalogue and accounts, if there are none")
    demo_.add_argument(
        "--titles", type=_count, help="make a synthetic catalogue of this many titles instead"
    )
    demo_.add_argument("--users", type=_count, help="with this many users (a tenth of the titles)")
    demo_.add_argument(
        "--ratings", type=_count, help="and this many ratings (ten times the titles)"
    )
    demo_.add_argument("--seed", type=int, default=1)
    importing = add(
        "import", import_titles, "import titles from a file of JSON lines, perhaps gzipped"
    )
    importing.add_argument("what", choices=["titles"])
    importing.add_argument("file", type=Path)
    user = add("user", create_user, "create an account")
    user.add_argument("action", choices=["create"])
    user.add_argument("username")
    user.add_argument("email")
    user.add_argument("--admin", action="store_true")
    user.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    mail_ = add("mail", show_mail, "list the mail that was kept for want of SMTP_HOST, or show one")
    mail_.add_argument("id", nargs="?", help="the message to show; `last` is the newest")
    return parser


def _count(words: str) -> int:
    if not words.isdecimal() or int(words) == 0:
        raise argparse.ArgumentTypeError(f"{words!r} is not a number from 1 on")
    return int(words)


def up(_options: argparse.Namespace, values: Settings) -> int:
    """Start everything on this machine, and stop it together."""
    from marquee import supervisor  # noqa: PLC0415 - only this command needs it

    return supervisor.up(values)


def serve(_options: argparse.Namespace, values: Settings) -> int:
    """Start the server's processes, and wait for them."""
    from marquee.supervisor import free_port  # noqa: PLC0415 - only this command needs them
    from marquee.web import server  # noqa: PLC0415

    follow_parent()
    free_port(values.host, values.port)
    with _database(values, "serve") as engine:
        refused = server.refusal(values, engine)
    if refused:
        return _fail(refused)
    return server.run(values)


def worker(_options: argparse.Namespace, values: Settings) -> int:
    """Do jobs until a signal says to stop."""
    from marquee import jobs  # noqa: PLC0415 - only this command needs it
    from marquee.identity.mailing import tasks as mailing  # noqa: PLC0415
    from marquee.operations.jobs import keeping, running  # noqa: PLC0415
    from marquee.services import mail  # noqa: PLC0415
    from marquee.taste.trakt import tasks as trakt  # noqa: PLC0415
    from marquee.watching.watch_history import tasks as watch_history  # noqa: PLC0415

    follow_parent()
    if not values.database_url:
        values = _beside_up(values)
    mail.carrier(values)  # settings that contradict each other are told now, not at the first mail
    keeper = keeping.Keeper()
    own = (mailing.register, trakt.register, watch_history.register)
    tasks = [running.registering(keeper), *own]
    with _database(values, "worker") as engine:
        with engine.connect() as connection:
            connection.execute(text("SELECT FROM job_runs LIMIT 0"))
        keeper.start()
        asyncio.run(jobs.work(values.database_url, tasks, concurrency=values.worker_concurrency))
    return 0


def _beside_up(values: Settings) -> Settings:
    """The settings of a worker beside `marquee up`: with its database, and its secret."""
    from marquee.postgres import Postgres  # noqa: PLC0415 - only where no database is named

    postgres, secret = Postgres.of(values.marquee_data), values.marquee_data / "secret_key"
    if not postgres.running():
        raise BadSetting(
            "`marquee worker` needs DATABASE_URL, or `marquee up` at work in MARQUEE_DATA."
        )
    os.environ["DATABASE_URL"] = postgres.url()
    if not values.marquee_secret_key and secret.is_file():
        os.environ["MARQUEE_SECRET_KEY"] = secret.read_text().strip()
    settings.current.cache_clear()
    return settings.current()


def migrate(_options: argparse.Namespace, values: Settings) -> int:
    """Bring the tables to this version."""
    from marquee.migrations import running  # noqa: PLC0415 - only this command needs it

    with _database(values, "migrate") as engine:
        try:
            running.migrate(engine)
        except running.UnfitDatabase as error:
            return _fail(str(error))
    return 0


def new_migration(options: argparse.Namespace, values: Settings) -> int:
    """Write a migration file from the difference between models and database."""
    from alembic import command  # noqa: PLC0415 - only this command needs it

    from marquee.migrations import running  # noqa: PLC0415

    with _database(values, "migration") as engine:
        running.migrate(engine)
        with engine.connect() as connection:
            command.revision(running.configuration(connection), options.message, autogenerate=True)
    return 0


def demo(options: argparse.Namespace, values: Settings) -> int:
    """Load the demo catalogue and accounts, or make a synthetic catalogue."""
    from marquee.catalogue.demo import loading, synthetic  # noqa: PLC0415 - only this command needs them
    from marquee.catalogue.embeddings import tasks as embeddings  # noqa: PLC0415
    from marquee.identity.users import demo as accounts  # noqa: PLC0415

    if values.production:
        return _fail("The demo accounts have known keys: not with MARQUEE_ENV=production.")
    with _database(values, "demo") as engine:
        if options.titles:
            size = {"users": options.users, "ratings": options.ratings}
            synthetic.generate(engine, options.titles, options.seed, **size)
            return 0
        if loading.load(engine) is not None:
            # Similar titles need not wait for the hour: a worker begins as soon as there is one.
            with db.transaction():
                embeddings.ask_for_all()
        with engine.begin() as connection:
            accounts.create_demo_accounts(connection)
    return 0


def import_titles(options: argparse.Namespace, values: Settings) -> int:
    """Import a file; say what was skipped, by line."""
    from marquee.catalogue import importing  # noqa: PLC0415 - only this command needs it

    try:
        with _database(values, "import") as engine, engine.begin() as connection:
            report = importing.import_titles(importing.read_lines(options.file), connection)
    except OSError as error:
        return _fail(f"{options.file}: {error}")
    for number, reason in report.skipped:
        sys.stderr.write(f"{options.file}:{number}: {reason}\n")
    counts = (
        f"{report.inserted} titles new, {report.updated} changed, {len(report.skipped)} skipped"
    )
    sys.stdout.write(f"{report.read} lines: {counts}\n")
    return 1 if report.skipped else 0


def create_user(options: argparse.Namespace, values: Settings) -> int:
    """Create an account, as the first administrator must be."""
    from marquee.identity.users import creating  # noqa: PLC0415 - only this command needs it

    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else getpass.getpass()
    with _database(values, "user"):
        try:
            with db.transaction():
                user = creating.create(
                    options.username,
                    options.email,
                    password,
                    role="admin" if options.admin else "user",
                )
        except creating.Refused as error:
            return _fail(str(error))
    sys.stdout.write(f"{user.username} has the id {user.id}.\n")
    return 0


def show_mail(options: argparse.Namespace, values: Settings) -> int:
    """List the messages of the mailbox folder, the newest first, or print the text of one."""
    from marquee.services.mailbox import Mailbox  # noqa: PLC0415 - only this command needs it

    mailbox = Mailbox(values.mailbox)
    try:
        found = mailbox.find(options.id) if options.id else None
        listed = [] if options.id else mailbox.messages()
    except OSError as error:
        return _fail(str(error))
    if options.id and found is None:
        return _fail(f"There is no message {options.id} in {mailbox.folder}.")
    if found:
        sys.stdout.write(found.text)
    for kept in listed:
        words = (kept.name, *(str(kept.message[name]) for name in ("Date", "To", "Subject")))
        sys.stdout.write("  ".join(words) + "\n")
    return 0


@contextmanager
def _database(values: Settings, command: str) -> Iterator[Engine]:
    """The database of `DATABASE_URL`, or the embedded one of the data folder, for one command."""
    if values.database_url:
        # A connection for each job of a worker, and for who looks after them.
        size = max(4, values.worker_concurrency + 2)
        engine = db.engine_for(values.database_url, pool_size=size, statement_timeout=0)
        db.connect(engine)
        yield engine
        engine.dispose()
        return
    from marquee.migrations import running  # noqa: PLC0415 - only where no database is named
    from marquee.postgres import Postgres, PostgresError  # noqa: PLC0415

    if command == "serve":
        raise BadSetting(
            "`marquee serve` needs DATABASE_URL; `marquee up` starts an embedded PostgreSQL."
        )
    try:
        with Postgres.of(values.marquee_data) as postgres:
            engine = db.engine_for(postgres.url(), statement_timeout=0)
            db.connect(engine)
            # Nobody else looks after this one: a command finds its tables there.
            running.migrate(engine)
            yield engine
            engine.dispose()
    except PostgresError as error:
        raise Failure(str(error)) from error


def _fail(message: str) -> int:
    sys.stderr.write(f"marquee: {message}\n")
    return 1
