"""The second factor: one-time passwords, backup codes and passkeys."""
