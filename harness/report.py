def build_report(db):
    return None


def print_report(r, c):
    pass


def write_report(r, f):
    pass
