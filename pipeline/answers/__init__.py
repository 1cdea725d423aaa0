"""What a person typed, read as a name, a sector, a pincode, a mobile number, a word — or what is wrong with it.

Everything here is a pure function of the text. A reader gives the value as it is kept, or a `Wrong` that names the
fault; which sentence is said about it stands in `texts`.
"""

from pipeline.answers.name import read_name as read_name
from pipeline.answers.phone import own_number as own_number
from pipeline.answers.phone import read_phone as read_phone
from pipeline.answers.phone import says_same as says_same
from pipeline.answers.pincode import is_known as is_known
from pipeline.answers.pincode import place_of as place_of
from pipeline.answers.pincode import read_pincode as read_pincode
from pipeline.answers.sector import sector_near as sector_near
from pipeline.answers.sector import sectors_meant as sectors_meant
from pipeline.answers.typed import is_readable as is_readable
from pipeline.answers.typed import too_long as too_long
from pipeline.answers.words import Command as Command
from pipeline.answers.words import command_in as command_in
from pipeline.answers.words import field_named as field_named
from pipeline.answers.words import field_to_change as field_to_change
from pipeline.answers.words import says_edit as says_edit
from pipeline.answers.words import says_no as says_no
from pipeline.answers.words import says_resend as says_resend
from pipeline.answers.words import says_yes as says_yes
from pipeline.answers.wrong import Why as Why
from pipeline.answers.wrong import Wrong as Wrong
