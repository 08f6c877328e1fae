"""Our own plugins, on the same API as everybody's."""
