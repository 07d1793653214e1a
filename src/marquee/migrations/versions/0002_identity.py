"""Identity: what sessions, second factors, passkeys, OpenID providers and pictures need.

Revision: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

GAINED = {"user": ["profile:update"], "moderator": ["profile:update", "users:list"]}

LAST_LOGIN = {
    "users_last_login_asc_idx": "9999-12-31 00:00:00+00",
    "users_last_login_desc_idx": "0001-01-01 00:00:00+00",
}

NOTICES = """
CREATE FUNCTION marquee_tell_viewers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The row as JSON: the tables have different columns.
  PERFORM pg_notify('marquee_viewers', coalesce(
    to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[0], '*'));
  RETURN NULL;
END $$;
CREATE TRIGGER tell_viewers AFTER UPDATE ON sessions FOR EACH ROW
  WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at OR NEW.expires_at < OLD.expires_at)
  EXECUTE FUNCTION marquee_tell_viewers('user_id');
CREATE TRIGGER tell_viewers_of_end AFTER DELETE ON sessions FOR EACH ROW
  WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now())
  EXECUTE FUNCTION marquee_tell_viewers('user_id');
CREATE TRIGGER tell_viewers AFTER UPDATE OF revoked_at, expires_at, scopes ON api_keys FOR EACH ROW
  EXECUTE FUNCTION marquee_tell_viewers('user_id');
CREATE TRIGGER tell_viewers_of_end AFTER DELETE ON api_keys FOR EACH ROW
  EXECUTE FUNCTION marquee_tell_viewers('user_id');
CREATE TRIGGER tell_viewers AFTER UPDATE OF is_active, username ON users FOR EACH ROW
  EXECUTE FUNCTION marquee_tell_viewers('id');
CREATE TRIGGER tell_viewers_of_end AFTER DELETE ON users FOR EACH ROW
  EXECUTE FUNCTION marquee_tell_viewers('id');
CREATE TRIGGER tell_viewers AFTER INSERT OR UPDATE OR DELETE ON user_roles FOR EACH ROW
  EXECUTE FUNCTION marquee_tell_viewers('user_id');
CREATE TRIGGER tell_viewers AFTER UPDATE OF name, permissions OR DELETE ON roles FOR EACH ROW
  EXECUTE FUNCTION marquee_tell_viewers('');
"""
"""Every process hears whose session, key, account or roles have changed, whoever changed them."""

KEEP = """
CREATE FUNCTION marquee_keep_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Only who it was may be taken out of a line: when an account is deleted.
  IF NEW.username IS NULL AND NEW.ip_address IS NULL AND NEW.user_agent IS NULL
     AND NEW.details IS NULL AND (NEW.id, NEW.user_id, NEW.action, NEW.resource_type,
       NEW.resource_id, NEW.request_id, NEW.success, NEW.error_code, NEW.created_at)
     IS NOT DISTINCT FROM (OLD.id, OLD.user_id, OLD.action, OLD.resource_type,
       OLD.resource_id, OLD.request_id, OLD.success, OLD.error_code, OLD.created_at)
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'The audit log is not changed.';
END $$;
CREATE TRIGGER keep_activity BEFORE UPDATE ON activity FOR EACH ROW
  EXECUTE FUNCTION marquee_keep_activity();
"""

DROP = """
DROP TRIGGER keep_activity ON activity;
DROP FUNCTION marquee_keep_activity();
DROP FUNCTION marquee_tell_viewers() CASCADE;
"""


def change_roles(statement: str) -> None:
    for role, permissions in GAINED.items():
        for permission in permissions:
            words = sa.text(statement).bindparams(role=role, permission=permission)
            op.execute(words)


def upgrade() -> None:
    op.create_table(
        "oidc_providers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("provider_type", sa.Text(), nullable=False),
        sa.Column("issuer_url", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("sealed_client_secret", sa.Text(), nullable=True),
        sa.Column("authorization_endpoint", sa.Text(), nullable=True),
        sa.Column("token_endpoint", sa.Text(), nullable=True),
        sa.Column("user_info_endpoint", sa.Text(), nullable=True),
        sa.Column("jwks_uri", sa.Text(), nullable=True),
        sa.Column("end_session_endpoint", sa.Text(), nullable=True),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "claim_mappings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column(
            "role_mappings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column(
            "auto_create_users", sa.Boolean(), server_default=sa.text("true"), nullable=False
        ),
        sa.Column("update_user_info", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("allow_linking", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("oidc_providers_pkey")),
        sa.UniqueConstraint("name", name=op.f("oidc_providers_name_key")),
    )
    op.create_index(
        "oidc_providers_one_default",
        "oidc_providers",
        ["is_default"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("sign_in_attempts_pkey")),
        sa.UniqueConstraint("key", name=op.f("sign_in_attempts_key_key")),
    )
    op.create_index(
        op.f("ix_sign_in_attempts_ends_at"), "sign_in_attempts", ["ends_at"], unique=False
    )
    op.create_table(
        "avatars",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("file_key", sa.Text(), nullable=False),
        sa.Column("file_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("is_animated", sa.Boolean(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column(
            "uploaded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("avatars_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("avatars_pkey")),
        sa.UniqueConstraint("user_id", name=op.f("avatars_user_id_key")),
    )
    op.create_table(
        "backup_codes",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("backup_codes_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("backup_codes_pkey")),
        sa.UniqueConstraint("user_id", "digest", name=op.f("backup_codes_user_id_digest_key")),
    )
    op.create_table(
        "oidc_links",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column(
            "granted_role_ids", sa.ARRAY(sa.BigInteger()), server_default="{}", nullable=False
        ),
        sa.Column(
            "linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["oidc_providers.id"],
            name=op.f("oidc_links_provider_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("oidc_links_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("oidc_links_pkey")),
        sa.UniqueConstraint(
            "provider_id", "subject", name=op.f("oidc_links_provider_id_subject_key")
        ),
        sa.UniqueConstraint(
            "user_id", "provider_id", name=op.f("oidc_links_user_id_provider_id_key")
        ),
    )
    op.create_table(
        "one_time_tokens",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("one_time_tokens_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("one_time_tokens_pkey")),
        sa.UniqueConstraint("digest", name=op.f("one_time_tokens_digest_key")),
    )
    op.create_index(
        op.f("ix_one_time_tokens_expires_at"), "one_time_tokens", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_one_time_tokens_user_id"), "one_time_tokens", ["user_id"], unique=False
    )
    op.create_table(
        "passkeys",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("transports", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("passkeys_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("passkeys_pkey")),
        sa.UniqueConstraint("credential_id", name=op.f("passkeys_credential_id_key")),
    )
    op.create_index(op.f("ix_passkeys_user_id"), "passkeys", ["user_id"], unique=False)
    op.create_table(
        "totps",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("totps_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("totps_pkey")),
        sa.UniqueConstraint("user_id", name=op.f("totps_user_id_key")),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("refresh_tokens_session_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("refresh_tokens_pkey")),
        sa.UniqueConstraint("digest", name=op.f("refresh_tokens_digest_key")),
    )
    op.create_index(
        op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False
    )
    op.create_table(
        "activity_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("activity_days_pkey")),
        sa.UniqueConstraint("day", name=op.f("activity_days_day_key")),
    )
    op.drop_index("activity_user_idx", table_name="activity")
    op.drop_index("activity_resource_idx", table_name="activity")
    latest_first = [sa.literal_column("created_at DESC"), sa.literal_column("id DESC")]
    op.create_index("activity_user_idx", "activity", ["user_id", *latest_first])
    op.create_index("activity_action_idx", "activity", ["action", *latest_first])
    op.create_index(
        "activity_resource_idx", "activity", ["resource_type", "resource_id", *latest_first]
    )
    op.create_index(
        "activity_failed_idx", "activity", latest_first, postgresql_where=sa.text("NOT success")
    )
    op.add_column(
        "sessions", sa.Column("method", sa.Text(), server_default="password", nullable=False)
    )
    op.add_column(
        "sessions",
        sa.Column(
            "last_activity_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
    )
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.create_index(
        "sessions_user_idx", "sessions", ["user_id", sa.literal_column("id DESC")], unique=False
    )
    op.add_column("users", sa.Column("avatar_url", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("cover_url", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("locale", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("timezone", sa.Text(), nullable=True))
    op.add_column(
        "users",
        sa.Column(
            "preferences",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
    )
    op.add_column("users", sa.Column("provider", sa.Text(), server_default="local", nullable=False))
    op.add_column("users", sa.Column("provider_user_id", sa.Text(), nullable=True))
    op.add_column(
        "users",
        sa.Column("mfa_enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "users",
        sa.Column("movies_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column(
        "users",
        sa.Column("series_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column(
        "users",
        sa.Column("discover_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column(
        "users",
        sa.Column(
            "discover_request_enabled",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "can_manage_watch_history",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
        ),
    )
    op.add_column("users", sa.Column("max_parental_rating", sa.SmallInteger(), nullable=True))
    op.add_column("users", sa.Column("seerr_user_id", sa.BigInteger(), nullable=True))
    op.alter_column("users", "email", existing_type=sa.TEXT(), nullable=True)
    op.create_unique_constraint(
        op.f("users_provider_provider_user_id_key"), "users", ["provider", "provider_user_id"]
    )
    op.create_index(
        "users_username_begins_idx", "users", [sa.text("lower(username) text_pattern_ops")]
    )
    op.create_index("users_email_begins_idx", "users", [sa.text("lower(email) text_pattern_ops")])
    op.create_index("users_created_at_idx", "users", ["created_at", "id"])
    for name, never in LAST_LOGIN.items():
        op.create_index(name, "users", [sa.text(f"coalesce(last_login_at, '{never}')"), "id"])
    op.execute(NOTICES)
    op.execute(KEEP)
    change_roles(
        "UPDATE roles SET permissions = array_append(permissions, :permission) "
        "WHERE name = :role AND NOT :permission = ANY (permissions)"
    )


def downgrade() -> None:
    change_roles(
        "UPDATE roles SET permissions = array_remove(permissions, :permission) WHERE name = :role"
    )
    op.execute(DROP)
    for name in (
        *LAST_LOGIN,
        "users_created_at_idx",
        "users_email_begins_idx",
        "users_username_begins_idx",
    ):
        op.drop_index(name, table_name="users")
    op.drop_constraint(op.f("users_provider_provider_user_id_key"), "users", type_="unique")
    op.execute("UPDATE users SET email = id || '@localhost.invalid' WHERE email IS NULL")
    op.alter_column("users", "email", existing_type=sa.TEXT(), nullable=False)
    op.drop_column("users", "seerr_user_id")
    op.drop_column("users", "max_parental_rating")
    op.drop_column("users", "can_manage_watch_history")
    op.drop_column("users", "discover_request_enabled")
    op.drop_column("users", "discover_enabled")
    op.drop_column("users", "series_enabled")
    op.drop_column("users", "movies_enabled")
    op.drop_column("users", "mfa_enabled")
    op.drop_column("users", "provider_user_id")
    op.drop_column("users", "provider")
    op.drop_column("users", "preferences")
    op.drop_column("users", "timezone")
    op.drop_column("users", "locale")
    op.drop_column("users", "cover_url")
    op.drop_column("users", "avatar_url")
    op.drop_index("sessions_user_idx", table_name="sessions")
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.drop_column("sessions", "last_activity_at")
    op.drop_column("sessions", "method")
    op.drop_table("activity_days")
    for name in ("failed", "resource", "action", "user"):
        op.drop_index(f"activity_{name}_idx", table_name="activity")
    op.create_index(
        "activity_resource_idx",
        "activity",
        ["resource_type", "resource_id", sa.literal_column("id DESC")],
    )
    op.create_index("activity_user_idx", "activity", ["user_id", sa.literal_column("id DESC")])
    op.drop_index(op.f("ix_refresh_tokens_session_id"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_table("totps")
    op.drop_index(op.f("ix_passkeys_user_id"), table_name="passkeys")
    op.drop_table("passkeys")
    op.drop_index(op.f("ix_one_time_tokens_user_id"), table_name="one_time_tokens")
    op.drop_index(op.f("ix_one_time_tokens_expires_at"), table_name="one_time_tokens")
    op.drop_table("one_time_tokens")
    op.drop_table("oidc_links")
    op.drop_table("backup_codes")
    op.drop_table("avatars")
    op.drop_index(op.f("ix_sign_in_attempts_ends_at"), table_name="sign_in_attempts")
    op.drop_table("sign_in_attempts")
    op.drop_index(
        "oidc_providers_one_default",
        table_name="oidc_providers",
        postgresql_where=sa.text("is_default"),
    )
    op.drop_table("oidc_providers")
