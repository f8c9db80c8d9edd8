"""Writing actions of the pages: their buttons, tokens, requests and audit trail."""
