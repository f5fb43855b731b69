"""LINES -> EVENTS: masking, Spell, the template store. It knows messages, not sessions."""
