"""A call cut into words, with the features of its form that grades and style figures share, measured once for both."""

from tip_assets.quality.features.cohesion import cohesion
from tip_assets.quality.features.grammar import ill_formed_share
from tip_assets.quality.features.language import english, language
from tip_assets.quality.features.measured_call import MeasuredCall
from tip_assets.quality.features.turn_taking import spoken_style, turn_taking
from tip_resources.domain.conversation import Conversation


class MeasuredForm:
    """`call` is the call in words, `features` say how it is talked; empty for a call without words.

    Features that need English words are left out for other languages.
    """

    def __init__(self, conversation: Conversation) -> None:
        call = self.call = MeasuredCall(conversation)
        self.features: dict[str, float] = {}
        if not call.turns:
            return
        self.features = {**turn_taking(call), **language(call)}
        if call.is_english:
            self.features |= {**spoken_style(call), **cohesion(call), **english(call)}
            if (ill_formed := ill_formed_share(call)) is not None:
                self.features["ill_formed_share"] = ill_formed
