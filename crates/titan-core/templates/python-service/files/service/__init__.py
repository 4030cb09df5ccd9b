"""The service: what it says (app), how it is asked (server), and its words (project)."""
