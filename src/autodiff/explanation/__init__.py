"""From a record of the sweeps to plain, frozen, JSON-ready data: what every renderer reads, and all that it reads."""
