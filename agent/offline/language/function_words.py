"""Words that carry no meaning of their own in a question: no answer has to use them."""

from __future__ import annotations

_FUNCTION_WORDS = (
    "the is are was were be been being do does did doing have has had can could would should will "
    "shall may might must i you we they he she it its me my our your their them this that these "
    "those there here in on at for with while during when if so as than too very please pls me "
    "into out over off up down about again any some all both such same who whom whose how why "
    "what which where show give get see let lets make us tell want need like know go got just "
    "someone somebody anyone anything everything something people time times activity really "
    "happen happens happening look looks looking one ones thing things much many most more "
    "now still only even well hello hi hey thanks thank because said say says using used "
    "value values different kind type larger largest smaller smallest biggest big small high low "
    "highest lowest rank order total result results answer question question's compute calculate "
    "determine report display provide return work works part parts bit bits place places within "
    "check checked anywhere somewhere along across around also whole entire own able im ive id "
    "whats wheres hows theres clearly goes often calibrated explanation going "
    "whether put come comes came shows shown showing taken gets given gives among else kindly "
    "actually exactly currently simply briefly quickly interested curious wonder wondering didnt "
    "isnt wasnt since always ever ok okay allow search measured measurement measurements reading "
    "readings recorded collected seen number numbers seem seems appear appears occur occurs "
    "occurring case cases present itself each way nothing anybody everybody everyone none help "
    "dear sir madam regards kind sorry wish hope think believe guess idea sort stuff bring "
    "length lengths series several outside curve curves team shape shapes error errors examine "
    "inspect rely estimate explain nobody "
    "pull fetch grab state specify mention inform including included contain contains "
    "contained exist exists made makes making done being data dataset turn turns yes please"
)


FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
