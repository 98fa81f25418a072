"""What a recipe will need and take, from its facts and a model's shape alone: no weights, no device, no torch.

    shape.py       a model's sizes, read from its config
    shapes.py      the shapes that come with the project
    recipe.py      what is trained, and how
    parameters.py  how many of each kind, and which learn
    weights.py     weights, and the state of quantised ones
    optimizer.py   the optimizer's state
    tape.py        what autograd keeps, and when it lets go
    layers.py      what each kind of layer keeps
    forward.py     a whole training step's tape
    memory.py      bytes by component
    fit.py         the largest batch within a limit
    flops.py       operations of a training step's matrix products
    traffic.py     bytes that everything else moves
    devices.py     what cards can do
    time.py        seconds of a step
    speed.py       tokens a second at the largest batch
    version.py     which predictor it was
    held_out.py    the cells that no part of it was built on

Components carry the names of the ledger's columns (``harness.meters.ledger``), which the tests hold them to.
"""
