"""Raw bytes -> LINES: opening files, telling their layout, cutting records. No templates, no sessions."""
