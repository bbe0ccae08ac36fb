"""Where weights live and how a rule reads and moves them: digital memory or analog cells."""
