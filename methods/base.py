"""The untrained model: the row that everything is compared with, in full precision or in 4 bit, bare or prompted."""

from methods.method import Method
from methods.parameters import BaseParameters


class Base(Method):
    """Trains nothing."""

    name = "base"
    learns_from = "nothing"
    Parameters = BaseParameters

    def quantised(self, parameters: BaseParameters) -> bool:
        """As its parameters say."""
        return parameters.quantisation != "none"


METHOD = Base()
