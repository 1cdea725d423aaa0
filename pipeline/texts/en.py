"""English, in plain short words: many readers have it as their second or third language."""

from datetime import datetime

from pipeline.desk import Desk
from pipeline.session import SECTORS, Contact, Details, Step
from pipeline.texts.shown import contact as configured
from pipeline.texts.shown import day, echo, masked, minute, pincode_and_place

# What people agree to when they go on after the welcome. Another wording needs another version.
NOTICE_VERSION = "1"
NOTICE = (
    "🔒 We keep your number and your answers to register you and to write to you about it. If you go on, you agree. "
    "*HELP* explains, *STOP* ends our messages."
)

WELCOME = "🙏 *Welcome to MSMEBazaar!*\nI will register your business here. It is 4 short questions, about 2 minutes."
NAME_QUESTION = "*What is your full name?*\nExample: Asha Devi"
SECTOR_QUESTION = "*What is your business sector?* Send the number:\n" + "\n".join(
    f"{number}. {sector}" for number, sector in enumerate(SECTORS, start=1)
)
PINCODE_QUESTION = "*What is the pincode of your business?*\n6 digits. Example: 400001"
CHANGE_QUESTION = (
    "*What should change?* Send the number:\n1. Name\n2. Sector\n3. Pincode\n4. Mobile\n5. Start over\n\n"
    "*BACK* – change nothing"
)
ERASE_QUESTION = (
    "⚠️ *Delete everything we keep about you?* This cannot be undone.\n\n*YES* – delete my data\n*NO* – keep it"
)
SEND_HI = "Send *HI* to register your business."
WELCOME_BACK = "👋 *Welcome back!*"
STARTED_AGAIN = "OK, we start again from the beginning."
FIRST_QUESTION = "This is the first question, we cannot go back more."
NOTHING_ERASED = "OK, nothing was deleted."
TEXT_ONLY = "I can read only short text messages, not photos, voice, files, contacts or locations. Please type it."
TOO_LONG = "This message is too long for me. Please send a short answer."
STILL_HERE = "Need help? Send *HELP*, or *SUPPORT* to talk to our team."
YES_OR_NO = "Please answer *YES* or *NO*."
CHOOSE_LINE = "Please send a number from 1 to 5."
CHANGED = "OK, let us change it."
SECTOR_UNCLEAR = "I did not find this sector. Please choose one from the list."
OPTED_IN = "✅ You will get our messages again."

WRONG = {
    "name_short": "A name needs at least 2 letters.",
    "name_long": "This name has {seen} characters. A name can have at most 100.",
    "name_letters": "A name needs letters, not only numbers or signs.",
    "name_link": "This is a link or an email address. I need your name.",
    "name_word": "I need your name here, 2 to 100 characters.",
    "pincode_missing": "A pincode has 6 digits. I did not see a number.",
    "pincode_short": "A pincode has 6 digits. I see only {seen}.",
    "pincode_long": "A pincode has 6 digits. I see {seen}.",
    "pincode_zero": "A pincode has 6 digits and does not start with 0.",
    "pincode_several": "I see more than one pincode. Please send only one.",
    "phone_missing": "A mobile number has 10 digits. I did not see a number.",
    "phone_short": "This number is too short: I see {seen} digits. A mobile number has 10.",
    "phone_long": "This number is too long: I see {seen} digits. A mobile number has 10.",
    "phone_several": "I see more than one number. Please send only one.",
    "phone_start": "This number starts with {seen}. An Indian mobile number starts with 6, 7, 8 or 9.",
    "phone_landline": "This looks like a landline. The OTP can come only to a mobile number.",
    "phone_foreign": "This number is not Indian. I need an Indian mobile number (+91).",
    "phone_no_own": "I cannot see an Indian number on your WhatsApp. Please type your mobile number.",
}


def expired(hours: int) -> str:
    """To somebody who comes back after the session with an unfinished registration has ended."""
    return (
        f"👋 *Welcome back!* Your details have expired: I keep them only {hours} hours. "
        "Nothing was registered. Let's start again."
    )


def phone_question(own: str) -> str:
    """`own` is the Indian number the person writes from, empty if there is none."""
    offer = f"\n\nOr send *SAME* to use this WhatsApp number ({masked(own)})." if own else ""
    return f"*What is your mobile number?*\n10 digits. Example: 98765 43210. The OTP will come to this number.{offer}"


def confirmation_question(details: Details, place: str) -> str:
    """All four answers, to be confirmed."""
    return (
        f"*Please check your details:*\n{summary(details, place)}\n\n"
        "*Is everything correct?*\n*YES* – send me the OTP\n*NO* – change something"
    )


def owed_question(details: Details, place: str) -> str:
    """Instead of the confirmation while an OTP is asked for again and again."""
    return (
        f"⏳ Your details are safe. I'll send the OTP as soon as I can.\n{summary(details, place)}\n\n"
        "*YES* – try again now\n*EDIT* – change something"
    )


def summary(details: Details, place: str) -> str:
    """The answers given so far, one a line; `place` is where the pincode is."""
    lines = [
        ("Name", echo(details.name)),
        ("Sector", details.sector),
        ("Pincode", pincode_and_place(details.pincode, place) if details.pincode else ""),
        ("Mobile", details.phone),
    ]
    return "\n".join(f"{label}: {answer}" for label, answer in lines if answer)


def so_far(details: Details, place: str) -> str:
    """The answers given so far, with a word before them; empty if there are none."""
    told = summary(details, place)
    return told and f"So far I have:\n{told}"


def heard_name(name: str) -> str:
    """Thanks for the name."""
    return f"Thank you, {echo(name)}."


def heard_sector(sector: str) -> str:
    """The sector as understood."""
    return f"✅ Sector: {sector}"


def heard_pincode(pincode: str, place: str) -> str:
    """The pincode and where it is."""
    return f"✅ {pincode_and_place(pincode, place)}"


def heard_phone(phone: str) -> str:
    """The number as it is kept."""
    return f"✅ Mobile: {phone}"


def earlier_answer(answer: str) -> str:
    """On going back to a question that was answered before."""
    return f"Your answer was: {echo(answer)}\nYou can send it again or a new one."


def wrong(why: str, seen: int) -> str:
    """What is wrong with an answer: a key of `WRONG`, and the number that explains it."""
    return WRONG[why].format(seen=seen)


def which_sector(meant: tuple[str, ...]) -> str:
    """The answer fits several sectors."""
    listed = " or ".join(f"*{SECTORS.index(sector) + 1}. {sector}*" for sector in meant)
    return f"This could be {listed}. Which one?"


def did_you_mean(sector: str) -> str:
    """The answer is nearly the name of a sector."""
    return f"Did you mean *{sector}*?\n*YES*, or send the number of another sector. *NO* shows the list."


def unknown_pincode(pincode: str) -> str:
    """A pincode that looks right but is not in our list of places."""
    return (
        f"I do not know the pincode {pincode}. Please check it.\n"
        "If it is right, send *YES*. If not, send the correct pincode (6 digits)."
    )


def registered(name: str, link: str) -> str:
    """What somebody who is registered hears, and can do."""
    greeting = f"✅ {echo(name)}, you are registered on MSMEBazaar." if name else "✅ You are registered on MSMEBazaar."
    return f"{greeting}\nLog in here:\n{link}\n\n*RESEND* – new OTP\n*RESTART* – register again"


def otp_sent(phone: str, link: str) -> str:
    """The registration went through."""
    return (
        f"🎉 *Done! You are registered.*\nThe OTP is coming to {phone}. Log in here with the OTP:\n{link}\n\n"
        "*RESEND* – new OTP\n*RESTART* – register again"
    )


def otp_sent_again(phone: str, link: str) -> str:
    """Another OTP was sent to somebody registered."""
    return f"📩 A new OTP is coming to {phone}. Log in here with the OTP:\n{link}\n\n*RESEND* – new OTP"


def otp_under_way(phone: str, seconds: int, link: str) -> str:
    """An OTP was sent already; the next one is possible in `seconds`."""
    return (
        f"✅ Your OTP was sent a moment ago to {phone}. Log in here with the OTP:\n{link}\n\n"
        f"No OTP? *RESEND* works in {seconds} s."
    )


def already_registered(phone: str, link: str) -> str:
    """The Auth API knows the number already."""
    return f"✅ The number {phone} is already registered on MSMEBazaar. Log in here:\n{link}\n\n*RESEND* – new OTP"


def otp_refused(desk: Desk) -> str:
    """The Auth API said no to these details."""
    return (
        "😕 The OTP could not be sent with these details. They are all kept here. "
        f"Please check the mobile number.\n*EDIT* – change something\n*YES* – try again\n\n{team(desk)}"
    )


def resend_refused(desk: Desk, link: str) -> str:
    """The Auth API said no to another OTP for somebody registered."""
    return f"😕 A new OTP could not be sent. Try *RESEND* a little later, or log in here:\n{link}\n\n{team(desk)}"


def otp_owed(again: str) -> str:
    """The Auth API is down and will be asked again; the word `again` asks it at once."""
    edit = " *EDIT* changes something." if again == "YES" else ""
    return (
        "⏳ Your details are safe. I'll send the OTP as soon as I can. You need not do anything.\n\n"
        f"*{again}* tries again at once.{edit}"
    )


def otp_given_up(desk: Desk, again: str) -> str:
    """The Auth API was asked for about an hour, in vain."""
    return f"😕 Sorry, the OTP could not be sent. Your details are safe. Send *{again}* to try again.\n\n{team(desk)}"


def help_menu() -> str:
    """The words that work at any time."""
    return (
        "*I register your business on MSMEBazaar.* You can always send:\n"
        "*BACK* – one question back\n*STATUS* – what I have so far\n*RESTART* – begin again\n"
        "*SUPPORT* – talk to our team\n*MY DATA* – what we keep about you\n*DELETE MY DATA* – delete it\n"
        "*STOP* – no more messages from us"
    )


def support(desk: Desk) -> str:
    """How to reach the team; they see who asked."""
    return f"🙋 Our team knows that you asked for help.\n{team(desk)}"


def team(desk: Desk) -> str:
    """The team's address, number and hours, as far as configured."""
    lines = (
        ("📧", configured(desk.support_email)),
        ("📞", configured(desk.support_phone)),
        ("🕘", configured(desk.support_hours)),
    )
    return "*Our team:*\n" + "\n".join(f"{sign} {value}" for sign, value in lines if value)


def status(step: Step, details: Details, place: str) -> str:
    """Where an unfinished registration stands."""
    if step == "confirmation":
        return "📋 All 4 answers are here. Only your *YES* is missing."
    told = so_far(details, place)
    count = len(details.to_json())
    return f"📋 {count} of 4 answers are here. The registration is not complete yet." + (f"\n{told}" if told else "")


def stopped(already: bool, otp_cancelled: bool) -> str:
    """After STOP; `already`: it was said before; `otp_cancelled`: an OTP still owed is not asked for any more."""
    first = "You have already stopped our messages." if already else "🔕 OK, we will not send you messages any more."
    otp = " Your OTP is not asked for any more." if otp_cancelled else ""
    return f"{first}{otp}\nYou can still write to me: *HI* goes on. *START* turns our messages on again."


def my_data(known: Contact, told: Details, until: datetime, answers_until: datetime) -> str:
    """What we keep: the contact record `until`, and answers `told` in a registration under way `answers_until`."""
    kept = ["your WhatsApp contact", "your language", "the time of your last message"]
    if known.consent:
        kept.append(f"that you agreed on {day(known.consent.at)}")
    if known.opted_out_at:
        kept.append(f"that you stopped our messages on {day(known.opted_out_at)}")
    if known.registered_at:
        kept.append(f"that you registered on {day(known.registered_at)}, with these details:")
    paragraphs = [f"📁 *What we keep about you*\nUntil {day(until)}: {', '.join(kept)}"]
    if known.registered_at:
        paragraphs[0] += f"\n{summary(known.details, '')}"
    if told != Details():
        paragraphs.append(f"Until {minute(answers_until)}, your answers so far:\n{summary(told, '')}")
    paragraphs.append("Each message from you makes this longer. *DELETE MY DATA* deletes it now.")
    return "\n\n".join(paragraphs)


def erased(receipt: str) -> str:
    """Everything about the person is gone."""
    return (
        f"🗑️ All we kept about you here is deleted.\nReceipt number: *{receipt}*\n\n"
        "If you write again, we begin as strangers: send *HI*."
    )
