"""不可用 What is wrong with a request's field, in Chinese: pydantic says it in English alone."""

from collections.abc import Mapping
from typing import Any

GENERAL = "请求无法使用。"
OTHERWISE = "该值不可用"
"""For the kinds of errors that are too rare to have words of their own."""

WORDS: Mapping[str, str] = {
    "before_since": "早于首日 {since}",
    "bool_parsing": "应为 true 或 false",
    "bool_type": "应为 true 或 false",
    "date_from_datetime_inexact": "应为日期，不带时间，例如 2026-01-31",
    "date_from_datetime_parsing": "应为日期，例如 2026-01-31",
    "date_parsing": "应为日期，例如 2026-01-31",
    "date_type": "应为日期，例如 2026-01-31",
    "datetime_from_date_parsing": "应为日期时间，例如 2026-01-31T08:00:00+08:00",
    "datetime_parsing": "应为日期时间，例如 2026-01-31T08:00:00+08:00",
    "datetime_type": "应为日期时间，例如 2026-01-31T08:00:00+08:00",
    "dict_type": "应为对象",
    "enum": "应为 {expected}",
    "extra_forbidden": "不接受该字段",
    "finite_number": "应为有限的数字",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "int_from_float": "应为整数",
    "int_parsing": "应为整数",
    "int_parsing_size": "整数过大",
    "int_type": "应为整数",
    "json_invalid": "不是有效的 JSON",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "list_type": "应为数组",
    "literal_error": "应为 {expected}",
    "missing": "缺少该字段",
    "model_attributes_type": "应为对象",
    "model_type": "应为对象",
    "names_somebody": "含有电话号码；该内容永久保存，不得出现个人信息",
    "not_latin": "应使用英文(拉丁字母)填写",
    "no_country": "不是国家或地区代码(ISO 3166-1 两位字母)",
    "no_hs_code": "HS 编码应为 6 至 10 位数字，不含小数点",
    "own_time_has_no_zone": "仓库当地时间不带时区",
    "shares_not_whole": "{sku} 的比例合计 {sum}，应为 100",
    "string_pattern_mismatch": "格式应符合 {pattern}",
    "string_too_long": "最多 {max_length} 个字符",
    "string_too_short": "至少 {min_length} 个字符",
    "string_type": "应为文本",
    "string_unicode": "不是有效的文本",
    "time_parsing": "应为时刻，例如 16:00",
    "time_type": "应为时刻，例如 16:00",
    "timezone_aware": "应带时区，例如 +08:00",
    "too_long": "最多 {max_length} 项",
    "too_many_fields": "超过 {most} 个字段",
    "too_short": "至少 {min_length} 项",
    "tuple_type": "应为数组",
}


def in_chinese(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors in Chinese, with the figures it is about."""
    words = WORDS.get(error["type"], OTHERWISE)
    figures = {name: _readable(value) for name, value in error.get("ctx", {}).items()}
    return words.format(**figures)


def _readable(value: Any) -> str:
    # Pydantic joins the last of several allowed values in English.
    return str(value).replace(" or ", " 或 ")
