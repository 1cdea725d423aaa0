"""One pure function a step, one a word heard everywhere, one an answer of the world: `Exchange` in, `Turn` out.

Which of them is used when is shown by the tables in `conversation`; what is said stands in `texts`.
"""

from pipeline.steps.commands import back as back
from pipeline.steps.commands import erase as erase
from pipeline.steps.commands import erase_confirmed as erase_confirmed
from pipeline.steps.commands import erased as erased
from pipeline.steps.commands import hello as hello
from pipeline.steps.commands import help_menu as help_menu
from pipeline.steps.commands import my_data as my_data
from pipeline.steps.commands import not_erased as not_erased
from pipeline.steps.commands import restart as restart
from pipeline.steps.commands import status as status
from pipeline.steps.commands import stop as stop
from pipeline.steps.commands import support as support
from pipeline.steps.commands import unreadable as unreadable
from pipeline.steps.commands import welcome as welcome
from pipeline.steps.exchange import Exchange as Exchange
from pipeline.steps.otp import otp_answered as otp_answered
from pipeline.steps.otp import otp_due as otp_due
from pipeline.steps.registration import completed as completed
from pipeline.steps.registration import confirmation as confirmation
from pipeline.steps.registration import name as name
from pipeline.steps.registration import phone as phone
from pipeline.steps.registration import pincode as pincode
from pipeline.steps.registration import sector as sector
