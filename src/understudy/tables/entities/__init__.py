"""People and their numbers: found in columns, and replaced by fakes that nobody has.

kind      found by                      a fake is                          why nobody has it
email     its form                      first.last42@example.org           RFC 2606 keeps these domains for examples
iban      its form and checksum         same length, right checksum        no bank: German code 9..., else land QZ
card      13 to 19 digits, Luhn         same length, right checksum        9 999 ...: ISO 7812 leaves it to no land
ssn       its form                      9xx-0x-xxxx                        no such area is issued, nor as ITIN
phone     its form, the column's name   +999 ..., or (xxx) 555-01xx        ITU's spare code; kept for films
names     the column's name             first, last or both, from lists    surnames are of made syllables
"""

from understudy.tables.entities.fakes import KINDS, fake
from understudy.tables.entities.find import entity

__all__ = ["KINDS", "entity", "fake"]
