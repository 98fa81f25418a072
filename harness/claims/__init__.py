"""What people repeat about these methods, held against arithmetic and against the runs at hand.

entry.py       a claim as the file holds it, checked
read.py        suites/claims/claims.yaml, or a file like it
principles.py  what can be counted or predicted before anything runs
held.py        the results at hand, each suite on each stack
shortage.py    the runs that memory ended
sizes.py       how large the bases of runs are
evidence.py    what a claim's rule finds in them
verdicts.py    what follows
table.py       the methods side by side
page.py        all of it as Markdown
words.py       figures as people read them
"""
