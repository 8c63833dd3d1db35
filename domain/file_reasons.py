"""Why files and rows give nothing, in Chinese: said once, in English, where they are read (M4)."""

FILE_REASONS = {
    r"it has more than (\S+) rows": "超过 {0} 行",
    r"it has (\S+) rows, (\S+) are allowed": "有 {0} 行，最多 {1} 行",
    r"a bill has at most (\S+) lines": "一份账单最多 {0} 行",
    r"a file has at most (\S+) rows": "一个文件最多 {0} 行",
    r"no row holds anything": "没有内容",
    r"it is empty": "文件是空的",
    r"it has no line": "没有账单行",
    r"it has no row below its heads": "列名之下没有内容",
    r"no sheet that is shown holds anything": "可见的工作表都没有内容",
    r"only one sheet may hold rows: (.+)": "只能有一个工作表有内容：{0}",
    r"it has (\S+) bytes, (\S+) are allowed": "有 {0} 字节，最多 {1} 字节",
    r"it is encrypted, or an old \.xls: save it as \.xlsx without password": (
        "文件已加密，或是旧版 .xls：请另存为不带密码的 .xlsx"
    ),
    r"it is encrypted": "文件已加密",
    r"row (\S+) has more than (\S+) columns": "第 {0} 行超过 {1} 列",
    r"it cannot be read: .+": "文件已损坏",
    r"it is damaged: .+": "文件已损坏",
    r"it is packed of (\S+) parts, (\S+) are allowed": "压缩包内有 {0} 个文件，最多 {1} 个",
    r"it holds two parts of one name": "压缩包内有同名文件",
    r"it is no spreadsheet": "不是电子表格",
    r"it holds macros: save it as \.xlsx": "含有宏：请另存为 .xlsx",
    r"it unpacks to over (\S+) bytes": "解压后超过 {0} 字节",
    r"it unpacks to over (\S+) times its size": "解压后超过原大小的 {0} 倍",
    r"(.+) lies about its size": "{0} 的大小与实际不符",
    r"(.+) declares a document type": "{0} 含有文档类型声明",
    r"line (\S+) holds a NUL character: it is no text": "第 {0} 行含有空字符，不是文本文件",
    r"line (\S+) cannot be read: .+": "第 {0} 行无法读取",
    r"line (\S+) is neither UTF-8 nor GBK": "第 {0} 行既不是 UTF-8 也不是 GBK 编码",
    r"it cannot be opened: .+": "无法打开文件",
    r"there is no such file": "文件不存在",
    r"reading it took over (\S+) seconds": "读取超过 {0} 秒",
    r"reading it needs too much memory or time": "读取所需的内存或时间过多",
    r"row (\S+), column (\S+): “(.*)” is none of (.+)": (
        "第 {0} 行 {1} 列：没有名为“{2}”的列，可用的列：{3}"
    ),
    r"row (\S+), column (\S+): “(.*)” is there twice": "第 {0} 行 {1} 列：“{2}”列重复",
    r"row (\S+): “(.+)” is none of (.+)": "第 {0} 行：没有名为“{1}”的列，可用的列：{2}",
    r"row (\S+): “(.+)” is there twice": "第 {0} 行：“{1}”列重复",
    r"row (\S+): there is no column (.+)": "第 {0} 行：缺少列 {1}",
    r"it has more cells than the table has heads": "单元格多于列名",
    r"the cell holds (\S+) characters": "单元格有 {0} 个字符，过长",
    r"the cell holds too much": "单元格内容过长",
    r"(\S+) is empty": "{0} 不能为空",
    r"(\S+) has to be a number": "{0} 应为数字",
    r"(\S+) has to be a number; commas stand between thousands alone": (
        "{0} 应为数字，逗号仅用于分隔千位"
    ),
    r"(\S+) has to be a number of at least 0, exact to (\S+)": (
        "{0} 应为不小于 0 的数字，精确到 {1}"
    ),
    r"(\S+) has to be whole and at least (\S+)": "{0} 应为不小于 {1} 的整数",
    r"(\S+) has to be whole and (\S+) to (\S+)": "{0} 应为 {1} 至 {2} 的整数",
    r"(\S+) has to be exact to (\S+) and at least (\S+)": "{0} 应精确到 {1}，且不小于 {2}",
    r"(\S+) has to be exact to (\S+) and (\S+) to (\S+)": "{0} 应精确到 {1}，且在 {2} 至 {3} 之间",
    r"(\S+) has to be one of (.+)": "{0} 应为以下之一：{1}",
    r"(\S+) has to be true or false": "{0} 应为 true 或 false",
    r"(\S+) has to be yes or no": "{0} 应为“是”或“否”",
    r"(\S+) has to be a day or a time such as (\S+) or (\S+)": (
        "{0} 应为日期或时间，例如 {1} 或 {2}"
    ),
    r"(\S+) has to be (?:a day|one) such as (\S+)": "{0} 应为日期，例如 {1}",
    r"(\S+) has to be from (\S+) to (\S+)": "{0} 应在 {1} 至 {2} 之间",
    r"(\S+) has to be letters, digits and (\S+)": "{0} 只能由字母、数字和 {1} 组成",
    r"(\S+) has to be 1 to 200 characters, none of them a control character": (
        "{0} 应为 1 至 200 个字符，不含控制字符"
    ),
    r"points have to be a whole number from (\S+) to (\S+)": "points 应为 {0} 至 {1} 的整数",
    r"number has to be 1 to 64 letters, digits and (\S+)": (
        "number 应为 1 至 64 个字母、数字或 {0}"
    ),
    r"amount has to be yuan with two decimals at most": "amount 应为金额(元)，最多两位小数",
    r"the sum is (\S+) fen, the lines above come to (\S+) fen": (
        "合计为 {0} 分，以上各行之和为 {1} 分"
    ),
    r"carrier has to be its code as Kuaidi100 writes it, such as (\S+)": (
        "carrier 应为快递100 的公司编码，例如 {0}"
    ),
    r"(\S+) differs from a row above": "{0} 与上面的行不一致",
    r"(\S+) to (\S+) is there twice": "{0} 至 {1} 的线路重复",
    r"the lane with this origin and these destinations has to be in a row above": (
        "该始发地与目的地的线路应在上面的行中"
    ),
    r"its price within a city is there twice": "同城价格重复",
    r"a surcharge costs something": "附加费须有金额",
    r"the card's risk is there twice": "价目表的风险重复",
    r"origin has to be one province, or \*": "origin 应为一个省份或 *",
    r"(.+) is no province": "“{0}”不是省份",
    r"(\S+) names a province twice": "{0} 中有重复的省份",
    r"another row of this card is refused: correct it and send all of them": (
        "同一价目表有其他行被拒：更正后请整表重新导入"
    ),
}
"""English reason, over the whole text, and its Chinese, without the words of parsers.

Files first, then rows, whose columns are named as in the report.
"""
