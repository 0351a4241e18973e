"""The sessions screen: a searchable list of saved sessions beside a preview."""
