"""涂抹 Blotting: people's names and phones taken out of what carriers write (rules.md 30; A4).

The payload as it came is sealed in the vault; what is recorded keeps what happened, not to whom.
Blotting hides rather too much than too little, and twice blotted is once blotted.
"""

import re
from typing import Final

BLOT: Final = "*"
"""Stands for a name or a phone, however long: no length shows, and all sources' tellings agree."""

_TITLE = (
    r"(?:派[件送]人|派[件送]员|快递员|业务员|投递员|揽投员|揽[件收]员|收件员|取件员|配送员|送货员"
    r"|扫描员|骑手|快递小哥|(?<!快递)小哥|收[件货]人|签收人|代收人|取件人|提货人|寄件人|发件人|联系人|经手人|司机|客户|用户|顾客|买家)"
)
# Who signs may be said without naming anybody: places keep their whole name, roles only theirs.
_PLACE = (
    r"丰巢|蜂巢|菜鸟|柜|站|店|点|部|局|货栈|兔喜|速递易|近邻宝|超市|自提|收发|传达室|邮政|EMS|顺丰"
    r"|公司|营业|分拨|中心|单位|学校|医院|扫描|[取提][件货]码"
)
_ROLE = (
    r"本人|家人|家属|亲属|亲友|父母|父亲|母亲|丈夫|妻子|配偶|子女|朋友|门卫|保安|物业|管家|前台|同事"
    r"|邻居|他人|室友|同学|老师|客户|用户|商家|卖家|寄件人|发件人|收件人|草签|(?<=.)章|代|收"
)
# A name ends where the sentence goes on.
_GOES_ON = (
    r"已|未|正|将|为您|为你|给您|您|请|感谢|如有|如需|签收|代签|代收|派[件送]|投递|配送|送货|揽|收[件取]"
    r"|取[件出走]|电话|手机|联系|姓名|号码|网点|安排|在|于|与|和您|从|到|到达|不在|不便|拒|无法|现|妥投|因"
    r"|的|时|扫描|自[提取]|前来|来取|领取|要求|申请|更改|修改|改派|改约|改地址|预约|委托"
)
_STOP = r"\s,。;:!?()\[\]【】<>/、|*0-9"
_END = rf"(?={_GOES_ON}|[{_STOP}]|$)"
_NAME = rf"[A-Za-z][A-Za-z.'-]*(?:\s[A-Z][A-Za-z.'-]*){{0,3}}|[^{_STOP}][^{_STOP}]{{0,29}}?"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任"
    "卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严欧"
    "莫孔向常汤康易乔赖文樊兰殷施洪翁安颜倪牛温芦季俞鲁葛毕聂丛焦柳邢庞裴齐庄梅涂祝柴阎章詹申"
)
_WORDS = (
    r"(?:安排|安全|申请|申报|于今|于明|于昨|于当|于\d|方便|方式|常规|章|文件|江|石|万|向|温馨|施"
    r"|金额|齐)"
)

_MOBILE = re.compile(
    r"(?<![0-9A-Z])(?<!单号)(?<!单号[:为是])(?:\+?86[-\s]?|0)?1[3-9]\d"
    r"(?:-?\d{4}-?\d{4}|\s\d{4}\s\d{4}|[*xX]{4,6}\d{2,4})(?![0-9A-Za-z])"
)
_LANDLINE = re.compile(
    r"(?<![0-9A-Z])(?<!单号)(?<!单号[:为是])"
    r"(?:\(0\d{2,3}\)|0\d{2,3}-|0(?:10|2\d|[3-9]\d{2}))\s?[1-9]\d{6,7}"
    r"(?:(?:-|转|\s?ext\.?\s?)\d{1,6})?(?![0-9A-Za-z])"
)
# After a word for it, also what lacks an area code; hot lines (95338, 400-…) name nobody.
_CALLED = re.compile(
    r"((?:电话|手机|电联|致电|拨打|联系方式|(?<![A-Za-z])[Tt]el\.?)(?:号码?)?(?:为|是)?[:(\[【]?)"
    r"(?!95\d{3,4}(?!\d)|[48]00-?\d)\+?\d[\d-]{5,16}(?![0-9A-Za-z])"
)
_NAMED = re.compile(
    rf"((?:{_TITLE}(?:姓名)?|姓名)(?:(?:为|是):?|:)?[【\[(]?(?<=[:为是【\[(]))({_NAME}){_END}"
)
_SAID = re.compile(
    rf"((?:{_TITLE}|交[给由]|(?:代收|代签|签收)\s?:)\s?)((?!{_WORDS})[小老阿]?[{_SURNAMES}](?:.?师傅|[\u4e00-\u9fff]{{1,3}}?)){_END}"
)
_BY = re.compile(
    rf"([由被](?:客户|用户|收[件货]人)?\s?)((?!{_WORDS})[{_SURNAMES}][\u4e00-\u9fff]{{1,2}})"
    r"(?=\s?(?:签收|代签|代收|领取|取走|拒收))"
)
# Yunda, STO, ZTO: "【company】的【name】正在派件", "的张三(138…)正在派件", "由【name】扫描".
_OF_PLACE = re.compile(
    r"(】\s?(?:\(\*\)\s?)?的|\)\s?的|由)【([\u4e00-\u9fff·]{2,4})】(?=正在|已收件|已揽|派件|扫描)"
)
_BEFORE_PHONE = re.compile(
    rf"(的)([小老阿]?[{_SURNAMES}][\u4e00-\u9fff·]{{0,3}})(?=\s?[(【\[]\*[)】\]])"
)
_IN_BRACKETS = re.compile(
    r"([由被]【)([\u4e00-\u9fff·]{2,4})(?=】\s?(?:代?签收|代[签收]|领取|取走|拒收))"
)
_TO_CALL = re.compile(
    rf"(联系)((?!{_WORDS})[{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=\s?(?:电话|手机|\(?\*))"
)
_KIN = re.compile(
    rf"((?:家人|家属|亲属|亲友|父亲|母亲|丈夫|妻子|儿子|女儿|朋友|同事|邻居|室友|同学)\s?:?)"
    rf"((?!{_WORDS})[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?){_END}"
)
_POLITE = re.compile(rf"()([{_SURNAMES}][\u4e00-\u9fff]{{0,2}}?)(?=先生|女士|小姐)")
# Whose door it was; where a parcel waits to be picked up has to stay readable.
_DOOR = re.compile(
    r"(?:\d{1,4}\s?(?:幢|栋|座|号楼|号(?=\s?\d{1,3}\s?单元))\s?)?"
    r"(?:(?:\d{1,3}\s?单元\s?)?\d{2,5}\s?(?:室|房)|\d{1,3}\s?单元\s?\d{2,5}(?!\d))"
    r"(?!.{0,8}(?:驿站|柜|店|超市|收发|自提))"
)
_KEPT_PLACE = re.compile(_PLACE)
_KEPT_ROLE = re.compile(rf"({_ROLE})")
_VERBS = re.compile(r"(?:凭|在|转|由|已)")


def blot(text: str) -> str:
    """A normalised text without people's names, phones and doors; generic signers stay.

    >>> blot("派件人:张三派件中派件员电话13800138000"), blot("签收人:本人签收")
    ('派件人:*派件中派件员电话*', '签收人:本人签收')
    """
    before = None
    while text != before:  # each further turn only takes letters and digits away, so this ends
        before = text
        for pattern in (_MOBILE, _LANDLINE, _DOOR):
            text = pattern.sub(BLOT, text)
        text = _CALLED.sub(rf"\1{BLOT}", text)
        text = _OF_PLACE.sub(rf"\1【{BLOT}】", text)
        for named in (_NAMED, _SAID, _BY, _IN_BRACKETS, _TO_CALL, _KIN, _POLITE, _BEFORE_PHONE):
            text = named.sub(_without_name, text)
    return text


def has_phone(text: str) -> bool:
    """Whether somebody can be called by what a normalised text says."""
    return any(pattern.search(text) for pattern in (_MOBILE, _LANDLINE))


def _without_name(found: re.Match[str]) -> str:
    before, name = found.groups()
    if _VERBS.match(name) or _KEPT_PLACE.search(name):
        return f"{before}{name}"
    pieces = _KEPT_ROLE.split(name)  # roles are every second piece
    return before + "".join(
        piece if nth % 2 else BLOT * bool(piece) for nth, piece in enumerate(pieces)
    )
