"""What Alembic runs: the migrations on the connection that `running.py` hands over."""

from alembic import context
from sqlalchemy.sql.schema import SchemaItem

from marquee.migrations.running import metadata


def _ours(
    _item: SchemaItem,
    name: str | None,
    kind: str,
    _reflected: bool,  # noqa: FBT001 - Alembic's signature
    _to: SchemaItem | None,
) -> bool:
    """Procrastinate's tables are its own; its schema comes by its own SQL."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata(),
    include_object=_ours,
    compare_type=True,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
