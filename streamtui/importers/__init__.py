"""Sessions into files, and files of this and other programs into sessions."""
