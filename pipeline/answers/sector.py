"""A business sector: one of twelve, however people name it."""

from difflib import get_close_matches
from itertools import takewhile

from pipeline.answers.typed import choice, word_set, words
from pipeline.session import SECTORS

# Common words for each sector in English, Hindi and Hinglish; a Latin word stands for its plural too. A word that fits
# two sectors stands under neither: two words of different sectors make the bot ask which one is meant.
_WORDS = {
    "Manufacturing": "manufacturing,manufacturer,manufacture,factory,factories,production,industry,plant,mill,foundry,"
    "workshop,karkhana,karkhane,कारखाना,फैक्ट्री,फैक्टरी,निर्माता,उत्पादन,विनिर्माण",
    "Services": "service,servicing,consultant,consulting,consultancy,salon,parlour,parlor,laundry,cleaning,security,"
    "travel,tourism,logistics,transport,courier,lawyer,accountant,accounting,ca,bank,finance,insurance,repair,repairing,"
    "photography,photographer,printing,event,seva,sewa,सेवा,सेवाएं,सर्विस,नाई",
    "Technology": "technology,technologies,tech,software,hardware,computer,website,web,app,digital,internet,coding,"
    "information technology,it service,it services,it company,saas,electronics,तकनीक,टेक्नोलॉजी,सॉफ्टवेयर,कंप्यूटर,आईटी",
    "Healthcare": "healthcare,health,health care,medical,medicine,doctor,dr,clinic,hospital,pharmacy,pharma,chemist,"
    "dentist,dental,nursing,ayurveda,ayurvedic,lab,dawai,davai,dawa,aspatal,अस्पताल,डॉक्टर,दवाई,दवा,क्लिनिक,स्वास्थ्य,मेडिकल",
    "Education": "education,educational,school,college,tuition,tution,coaching,teacher,teaching,academy,institute,"
    "training,university,classes,preschool,vidyalaya,shiksha,padhai,शिक्षा,स्कूल,विद्यालय,कोचिंग,पढ़ाई,ट्यूशन",
    "Agriculture": "agriculture,agricultural,agri,agro,farm,farming,farmer,kheti,khet,kisan,kisaan,dairy,poultry,"
    "fishery,fisheries,horticulture,krishi,kheti badi,seeds,fertilizer,खेती,किसान,कृषि,खेत,डेयरी,पशुपालन",
    "Retail": "retail,retailer,shop,shopkeeper,store,kirana,kiryana,grocery,groceries,supermarket,mart,showroom,"
    "general store,dukan,dukaan,dukandar,stationery,jewellery,jeweller,दुकान,दूकान,किराना,दुकानदार",
    "Construction": "construction,constructions,builder,building,contractor,civil,real estate,cement,mason,mistri,"
    "architect,plumber,plumbing,interior,निर्माण,बिल्डर,ठेकेदार,मिस्त्री",
    "Food & Beverage": "food,beverage,food and beverage,restaurant,hotel,dhaba,cafe,catering,caterer,bakery,sweets,"
    "mithai,tea,chai,tiffin,snacks,juice,canteen,khana,khaana,cook,kitchen,होटल,ढाबा,खाना,मिठाई,रेस्टोरेंट,चाय,भोजन",
    "Textile": "textile,cloth,clothes,clothing,garment,fabric,apparel,fashion,saree,sari,tailor,tailoring,boutique,"
    "weaving,weaver,handloom,silk,cotton,kapda,kapde,kapada,silai,darzi,कपड़ा,कपड़े,कपडा,कपडे,वस्त्र,सिलाई,दर्जी,साड़ी,टेक्सटाइल",
    "Automotive": "automotive,automobile,auto,car,bike,garage,vehicle,mechanic,motor,tyre,two wheeler,petrol pump,"
    "spare part,gaadi,gadi,गाड़ी,गैराज,ऑटो,मैकेनिक",
    "Other": "any other,some other,none of these,none of the above,something else,kuch aur,koi aur,anya,अन्य,कुछ और,दूसरा",
}
# Ordinary words of a sentence: `it is a shop`. As the whole answer they name a sector.
_WHOLE = {"it": "Technology", "i t": "Technology", "other": "Other", "others": "Other", "none": "Other"}
_FILLERS = word_set(
    "a,an,the,my,our,i,we,is,am,are,in,of,have,has,do,own,run,to,sector,business,company,firm,work,and,or,ya,mera,meri,hamara,"
    "hamari,ka,ki,ke,hai,h,karta,karti,karte,hu,hun,hoon,kaam,ek,wala,number,option,small,big,please,plz,pls,sir,"
    "मेरा,मेरी,हमारा,हमारी,का,की,के,है,काम"
)
_PHRASES = {
    " ".join(words(spelled)): sector
    for sector, listed in _WORDS.items()
    for word in listed.split(",")
    for spelled in (word, f"{word}s" if word.isascii() else word)
}
_LONGEST_FIRST = sorted(_PHRASES, key=len, reverse=True)
_NAMES = {word: sector for sector in SECTORS for word in words(sector) if word != "and"}
_SHORTEST_NEAR, _SAID_NEARLY = 4, 6  # letters of a word, words of a message, in which a near miss is looked for
_NEAR = sorted(word for word in {*_PHRASES, *_NAMES} if len(word) >= _SHORTEST_NEAR and " " not in word)


def sectors_meant(text: str) -> tuple[str, ...]:
    """The sectors that `text` names, in the menu's order: one is an answer, several need a question, none is none."""
    if number := choice(text):
        return SECTORS[number - 1 : number]
    all_said = words(text)
    said = [word for word in all_said if word not in _FILLERS]
    for whole in (" ".join(all_said), " ".join(said)):
        if whole in _WHOLE:
            return (_WHOLE[whole],)
    found = _numbered(said) | _named(said) or _begun(said)
    return tuple(sector for sector in SECTORS if sector in found)


def sector_near(text: str) -> str:
    """The one sector that `text` nearly names (`textil`, `agricultre`), empty if there is none.

    The first letter must be right: slips of the finger seldom change it, and `mother` is not near `other`.
    """
    said = words(text)
    if len(said) > _SAID_NEARLY:
        return ""
    near = set()
    for word in said:
        alike = [known for known in _NEAR if known[0] == word[0]] if len(word) >= _SHORTEST_NEAR else []
        near |= {_PHRASES.get(known) or _NAMES[known] for known in get_close_matches(word, alike, n=1, cutoff=0.8)}
    return near.pop() if len(near) == 1 else ""


def _numbered(said: list[str]) -> set[str]:
    """The sectors of the numbers in front: `3 technology`, `3, 7`."""
    numbers = [int(word) for word in takewhile(str.isdecimal, said) if len(word) <= 2]
    return {SECTORS[number - 1] for number in numbers if 1 <= number <= len(SECTORS)}


def _named(said: list[str]) -> set[str]:
    """The sectors named by whole words and phrases."""
    found = set()
    rest = f" {' '.join(said)} "
    for phrase in _LONGEST_FIRST:
        if f" {phrase} " in rest:
            found.add(_PHRASES[phrase])
            rest = rest.replace(f" {phrase} ", "  ")
    return found


def _begun(said: list[str]) -> set[str]:
    """The sectors whose name begins like the only word said: `agri`, `te` (two of them).

    Two letters are too few for one sector, and a word that lacks only its last letter is a slip: it is asked about.
    """
    if len(said) != 1 or len(said[0]) < 2:
        return set()
    begun = {sector for name, sector in _NAMES.items() if name.startswith(said[0]) and len(name) > len(said[0]) + 1}
    return begun if len(said[0]) > 2 or len(begun) > 1 else set()
