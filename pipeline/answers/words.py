"""The words people use for the bot's commands and for yes and no, in English and in the languages of India.

A word counts only when it is the whole message, whatever its case, punctuation or emoji, with or without a courtesy
(`yes sir`, `please help`).
"""

from typing import Literal

from pipeline.answers.typed import choice, folded, word_set, words
from pipeline.session import Step

Command = Literal["hello", "help", "restart", "support", "back", "status", "stop", "start", "my_data", "erase"]
Field = Step | Literal["restart", ""]


COMMAND_WORDS: dict[Command, frozenset[str]] = {
    "hello": word_set(
        "hi,hii,hello,helo,hllo,hlo,hallo,hey,hy,hai,hola,hi there,hello there,hey there,good morning,good afternoon,"
        "good evening,good day,gm,namaste,namaskar,namaskaram,namasthe,namaste sir,pranam,vanakkam,vanakam,nomoskar,"
        "salaam,salam,assalamualaikum,assalamu alaikum,sat sri akal,ram ram,jai hind,jai shri krishna,register,"
        "registration,i want to register,begin,shuru,shuru karo,continue,नमस्ते,नमस्कार,प्रणाम,राम राम,हाय,हैलो,हेलो,"
        "शुरू,शुरू करो,வணக்கம்,నమస్కారం,నమస్తే,ನಮಸ್ಕಾರ,നമസ്കാരം,নমস্কার,નમસ્તે,ਸਤ ਸ੍ਰੀ ਅਕਾਲ,السلام علیکم,👋,🙏"
    ),
    "help": word_set("help,help me,menu,commands,options,info,madad,sahayata,मदद,सहायता,उதவி,உதவி,సహాయం,❓,?"),
    "restart": word_set(
        "restart,re start,start over,start again,begin again,start new,reset,phir se,phir se shuru,dobara,fir se,"
        "फिर से,फिर से शुरू,दोबारा"
    ),
    "support": word_set(
        "support,contact support,customer care,customer support,call me,agent,human,talk to human,contact,contact us,"
        "helpline,सपोर्ट,संपर्क"
    ),
    "back": word_set("back,go back,previous,undo,peeche,piche,wapas,vapas,पीछे,वापस"),
    "status": word_set("status,my status,where am i,stage,progress,स्थिति,स्टेटस"),
    "stop": word_set(
        "stop,stop all,stopall,stop it,stop messages,stop sending,stop messaging me,unsubscribe,unsubscribe me,"
        "opt out,optout,opt me out,do not message,don't message me,band karo,band kro,bandh karo,band kar do,"
        "band karo message,message band karo,message mat bhejo,mat bhejo,stop karo,roko,रोकें,रोको,रोक दो,बंद,बंद करो,"
        "बंद करें,बंद कर दो,बन्द करो,स्टॉप,मैसेज मत भेजो,நிறுத்து,ఆపండి,ನಿಲ್ಲಿಸಿ,നിർത്തുക,বন্ধ করুন,બંધ કરો,ਬੰਦ ਕਰੋ,🛑"
    ),
    "start": word_set("start,join,opt in,optin,subscribe,unstop,चालू करो"),
    "my_data": word_set("my data,mydata,my details,my information,mera data,मेरा डेटा"),
    "erase": word_set(
        "delete my data,delete mydata,delete data,delete my details,delete my information,erase my data,erase data,"
        "remove my data,forget me,delete me,delete my account,delete account,mera data delete karo,mera data hatao,"
        "मेरा डेटा हटाओ,मेरा डेटा हटाएं,मेरा डेटा डिलीट करो"
    ),
}
YES = word_set(
    "y,yes,yess,yep,yeah,yup,ok,okay,okey,oky,k,kk,sure,confirm,confirmed,i confirm,agree,i agree,correct,all correct,"
    "it is correct,yes correct,yes it is,yes confirm,right,all right,all ok,done,send otp,haan,han,ha,haa,haan haan,"
    "yes yes,ok ok,yes ok,ok yes,yes all correct,all is correct,yes all is correct,everything is correct,"
    "yes everything is correct,all details are correct,sab theek hai,sab thik hai,ha ji,haa ji,hanji,haanji,ji,ji haan,"
    "ji ha,jee,sahi,sahi hai,sab sahi,sab sahi hai,bilkul,theek,theek hai,thik hai,thik,tik hai,"
    "हाँ,हां,हा,जी,जी हाँ,जी हां,हाँ जी,हां जी,ठीक,ठीक है,सही,सही है,बिल्कुल,ओके,यस,हो,होय,ஆம்,ஆமாம்,అవును,ಹೌದು,"
    "അതെ,হ্যাঁ,হা,હા,ਹਾਂ,ହଁ,ہاں,جی,👍,👌,✅,✔,☑,💯"
)
NO = word_set(
    "n,no,noo,nope,not,not correct,not ok,incorrect,wrong,nah,na,naa,nahi,nahin,nahee,nhi,nai,nahi ji,galat,galat hai,"
    "नहीं,नही,नहि,ना,न,जी नहीं,गलत,गलत है,नो,नाही,இல்லை,కాదు,లేదు,ಇಲ್ಲ,ಅಲ್ಲ,ഇല്ല,അല്ല,না,ના,ਨਹੀਂ,ନା,نہیں,👎,❌,✖"
)
EDIT = word_set("edit,change,correction,modify,update,cancel,badlo,badalna hai,badlna hai,बदलो,बदलें,बदलना है,एडिट,✏")
RESEND = word_set(
    "resend,re send,resend otp,send again,send otp again,new otp,otp,otp again,otp not received,otp not come,"
    "otp not coming,no otp,no otp received,not received,did not get otp,otp nahi aaya,"
    "dobara bhejo,otp bhejo,दोबारा भेजो,ओटीपी,ओटीपी नहीं आया"
)
# What people send where a name is asked for, and never is one.
NEVER_A_NAME = (
    YES
    | NO
    | EDIT
    | RESEND
    | word_set("same,skip,next,name,my name,my name is,i am,exit,quit,end,hmm,thanks,thank you")
)

_COMMANDS: dict[str, Command] = {word: command for command, listed in COMMAND_WORDS.items() for word in listed}
_COURTESIES = word_set("sir,madam,mam,ma'am,ji,please,pls,plz,bhai,bhaiya,dear,team,kindly")
_FIELD_WORDS: dict[str, Field] = {
    "name": "name",
    "naam": "name",
    "नाम": "name",
    "sector": "sector",
    "business": "sector",
    "pincode": "pincode",
    "pin": "pincode",
    "पिनकोड": "pincode",
    "phone": "phone",
    "mobile": "phone",
    "number": "phone",
    "मोबाइल": "phone",
}
_FIELDS: tuple[Field, ...] = ("", "name", "sector", "pincode", "phone", "restart")


def command_in(text: str) -> Command | None:
    """The command that the whole of `text` is, if it is one."""
    return _COMMANDS.get(_without_courtesy(text, frozenset(_COMMANDS)))


def says_yes(text: str) -> bool:
    """Whether the whole message is a yes."""
    return _without_courtesy(text, YES) in YES


def says_no(text: str) -> bool:
    """Whether the whole message is a no."""
    return _without_courtesy(text, NO) in NO


def says_edit(text: str) -> bool:
    """Whether the whole message asks to change something."""
    return _without_courtesy(text, EDIT) in EDIT


def says_resend(text: str) -> bool:
    """Whether the whole message asks for another OTP."""
    return _without_courtesy(text, RESEND) in RESEND


def never_a_name(text: str) -> bool:
    """Whether the whole message is a word of the conversation, not somebody's name."""
    return command_in(text) is not None or _without_courtesy(text, NEVER_A_NAME) in NEVER_A_NAME


def field_to_change(text: str) -> Field:
    """Which of the change menu's five lines is meant, by its number or by naming it; empty if not clear."""
    if number := choice(text):
        return _FIELDS[number] if number < len(_FIELDS) else ""
    return field_named(text)


def field_named(text: str) -> Field:
    """Which one answer the message speaks of: `change pincode`, `mobile number is wrong`; empty if not clear."""
    named = {_FIELD_WORDS[word] for word in words(text) if word in _FIELD_WORDS}
    return named.pop() if len(named) == 1 else ""


def _without_courtesy(text: str, known: frozenset[str]) -> str:
    """The message to look up: as it is if known, else without a courtesy at its beginning or end."""
    message = folded(text)
    if message in known:
        return message
    first, _, rest = message.partition(" ")
    if first in _COURTESIES:
        return rest
    start, _, last = message.rpartition(" ")
    return start if last in _COURTESIES else message
