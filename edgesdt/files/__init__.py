"""Reading and writing files with care: within bounds, never onto what must stay."""
