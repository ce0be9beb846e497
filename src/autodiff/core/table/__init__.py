"""The rows of the table, by what they are about; `core.rules` looks them up."""
