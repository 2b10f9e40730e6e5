"""Container images: their files, content tags, lock and builds."""
