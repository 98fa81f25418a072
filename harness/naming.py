"""What an arm is called, in every table and on the command line alike."""


def arm_name(label: str, parent_label: str | None, rank: float | None) -> str:
    """Its entry in the matrix, what it starts from, its rank: ``dpo-lora on lora r=8``."""
    start = f" on {parent_label}" if parent_label else ""
    return f"{label}{start}" + (f" r={int(rank)}" if rank else "")
