"""From a memory's text to its entities and facts, by rules: no model, no I/O, well under a millisecond a memory.

A text is normalised (NFKC), its speaker taken off, and cut into sentences of tokens. Names, dates, quantities and noun
phrases are found by their form. Facts are found from the left: a subject ("I", "my sister", a name), what may stand
between (adverbs, auxiliaries, a negation), a verb phrase from a language's table, and an object of the kind that the
verb phrase takes. Anything unexpected on the way makes no fact: a missing fact costs less than a wrong one. Questions,
conditions and wishes state nothing. Cost grows linearly with the text, and a memory contributes a bounded number of
entities and facts.
"""
