"""Where calls come from. Only this package knows a file, a device or a wire; all yield blocks."""
