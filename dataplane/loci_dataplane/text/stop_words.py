"""Words that say little about what is searched for: function words, question words, requests.

English words always are stop words in an English query. Those of another language are used when a query holds at least
two of them and more than English ones, since many are words with a meaning in English (`war`, `die`, `son`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from loci_dataplane.text.folding import fold

ENGLISH: Final = frozenset(
    (
        "a about above after again against ago all almost along already also always am among an and another any "
        "anybody anyone anything are aren't around as ask at away back be became because become been before being "
        "below between both but by came can can't cannot come could couldn't d describe did didn't do does doesn't "
        "doing don't done down during each either else ever every everyone everything explain few find for from "
        "further gave get gets getting give given go goes going gone got had hadn't has hasn't have haven't having "
        "he her here hers herself him himself his how however i i'd i'll i'm i've if in into is isn't it its itself "
        "just kind know known let let's like list ll long m make makes many may me mention mentioned might mine more "
        "most much must my myself need never no nor not now of off often on once one ones only or other others ought "
        "our ours ourselves out over own per please re really recall remember s said same say says see shall she "
        "should show since so some somebody someone something still such t take talk tell than that that's the their "
        "theirs them themselves then there these they thing things this those though through to too under until up "
        "upon us use used using ve very want wants was wasn't way we well went were weren't what what's whatever when "
        "where whether which while who who's whom whose why will with within without won't would wouldn't yes yet "
        "you your yours yourself "
    ).split()
)

_OTHERS: Final[Mapping[str, str]] = {
    "German": "aber alle als am an auch auf aus bei bin bis da das dass dein deine dem den der des die dir doch du "
    "ein eine einem einen einer er es für habe haben hat hatte ich ihr ihre im in ist ja kann kein keine können man "
    "mein meine mich mir mit nach nicht noch nur ob oder sein seine sich sie sind so über um und uns unser vom von "
    "war waren warum was wann welche welcher welches wenn wer werden wie wir wird wo wurde zu zum zur",
    "French": "à au aux avec c ce ces cet cette comment d dans de des du elle elles en es est et été eu il ils j je l "
    "la le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on où ou par pas pour pourquoi qu quand "
    "que quel quelle quelles quels qui quoi s sa se ses son sont sur t ta te tes toi ton tu un une vos votre vous y",
    "Spanish": "a al con como cómo cuál cuándo cuánto de del dónde donde el él ella ellos en es esta está este esto "
    "fue ha hay la las le les lo los me mi mis muy no nos o para pero por porque qué que quién se ser si sin sobre "
    "son su sus te tiene tu tus un una uno y ya yo",
    "Italian": "a ai al alla anche c che chi ci come con cosa cui da dal dalla de dei del della di dove e è gli ha "
    "hanno ho i il in io l la le lei li lo loro lui ma mi mia mio ne nel nella non o per perché più quale quando se si "
    "sono su sua suo ti tu un una uno",
    "Portuguese": "a ao aos as com como da das de dela dele do dos e é ela ele em era essa esse esta este eu foi há "
    "isso já la lhe mais mas me meu minha na nas não no nos o onde os ou para pela pelo por porque qual quando que "
    "quem se sem seu sua são só te tem um uma você",
    "Dutch": "aan al als bij dan dat de der deze die dit door een en er haar had heb heeft hem het hij hoe ik in is "
    "je kan maar me met mijn naar niet nog of om ook op over te tot uit van voor waar waarom was wat we wel welke "
    "wie wordt ze zich zij zijn zo",
    "Russian": "а без бы был была были было быть в вам вас весь во вот все всё вы где да для до его ее её если есть "
    "еще ещё же за и из или им их к как какая какие какой когда кто ли меня мне мы на над не него нет но о об он она "
    "они оно от по почему при с со так такой там то того тоже только ты у уже что чтобы это этот эта эти я",
    "Arabic": "في من على إلى عن أن إن ما لا لم لن هل هو هي هم أنا أنت نحن هذا هذه ذلك التي الذي كان كانت أين متى كيف "
    "ماذا لماذا من كم أو و ثم مع قد كل بعد قبل عند",
    "Hindi": "का के की को में से पर है हैं था थे थी और या यह वह ये वे कि जो ने तो भी ही क्या कौन कब कहाँ क्यों कैसे मैं "
    "हम तुम आप मेरा मेरी उसका उसकी एक नहीं लिए साथ",
    "Turkish": "ve bir bu şu o da de mi mı mu mü için ile ne nerede nasıl kim neden ben sen biz siz onlar çok ama gibi "
    "daha var yok olan olarak",
    "Polish": "a ale co czy dla do gdzie go i ich ja jak jest już kiedy kto która które który ma mi mnie na nie o od "
    "po są się ta tak tam te to tym w we z za że",
    "Swedish": "att av de den det du då en ett för från han har hon hur i inte jag kan med men min mitt när och om på "
    "sin som så till vad var vem vi är",
}
_RUNS: Final = (
    "的 了 是 在 我 你 您 他 她 它 们 我们 你们 他们 她们 吗 呢 吧 啊 什么 谁 哪 哪里 哪儿 哪个 怎么 为什么 什么时候 "
    "几 这 那 这个 那个 有 没有 不 也 都 就 和 与 或 跟 把 被 对 从 到 给 要 会 能 可以 很 还 又 之 得 地 着 过 一个 "
    "の 何 誰 いつ どこ どれ どの なに なぜ どう どうして これ それ あれ この その あの ここ そこ です ます でした "
    "ました である だった いる ある する した して なる から まで より など けど でも だけ ですか ますか ください "
    "という "
    "เป็น อยู่ คือ ที่ ของ และ ใน มี ไม่ ได้ จะ ให้ กับ แต่ หรือ ก็ นี้ นั้น อะไร ใคร ไหน เมื่อไร เมื่อไหร่ ทำไม อย่างไร ไหม "
    "การ ความ "
    "ແມ່ນ ຢູ່ ຂອງ ແລະ ມີ ບໍ່ ທີ່ ໃນ និង នៅ ជា មាន មិន របស់ ដែល သည် ၏ နှင့် တွင် မှာ "
)
PARTICLES: Final = tuple(
    "에서는 에게서 으로는 이라는 까지는 부터는 한테서 에서 에게 한테 으로 까지 부터 처럼 보다 마다 하고 이랑 이나 이라 "
    "라는 께서 은 는 이 가 을 를 에 의 도 로 와 과 만 랑 나 야".split()
)
"""Korean particles, which follow a noun without a space; the longer ones first."""
KOREAN: Final = frozenset(
    "무엇 뭐 누구 언제 어디 왜 어떻게 어떤 나는 내가 너는 그 저 이 것 수 있다 없다 이다 합니다 입니까".split()
)
_EVIDENCE: Final = 2
"""Stop words of a language that show a query to be in it."""


def stop_words(words: Sequence[str]) -> frozenset[str]:
    """The stop words for a query of these folded words: English ones, or those of the language that it is in."""
    language = _language(words)
    return _by_language()[language] if language else ENGLISH


def in_english(words: Sequence[str]) -> bool:
    """Whether a query of these folded words may be English: its stop words show no other language."""
    return _language(words) is None


def _language(words: Sequence[str]) -> str | None:
    counts = {name: sum(word in listed for word in words) for name, listed in _by_language().items()}
    best = max(counts, key=counts.__getitem__)
    found = counts[best] >= _EVIDENCE and counts[best] > sum(word in ENGLISH for word in words)
    return best if found else None


@cache
def in_runs() -> frozenset[str]:
    """Function words of Chinese, Japanese, Thai, Lao, Khmer and Burmese, folded."""
    return frozenset(fold(_RUNS).split())


@cache
def _by_language() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(fold(words).split()) for name, words in _OTHERS.items()}
