"""QLoRA: LoRA over a base that stands in 4 bit (Dettmers et al. 2023). Loading quantises it; the rest is LoRA."""

from methods.lora import Lora
from methods.parameters import QloraParameters


class Qlora(Lora):
    """The same adapter as LoRA's, on NF4 weights."""

    name = "qlora"
    Parameters = QloraParameters


METHOD = Qlora()
