"""Pictures: fetched and kept, or drawn."""
