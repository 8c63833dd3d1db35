"""The recipient's form says what it understood of an address, and asks for the rest (M4, O1)."""

from playwright.sync_api import expect

from tests.browser.service import Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen

pytestmark = IN_A_BROWSER


@SCREENS
def test_a_pasted_address_fills_the_form(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """M4: province, city and district come from the text, change with it, and are ordered with."""
    learner = newcomer()
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open("/")
        visitor.choose("notebook")
        field = {name: page.locator(f"dialog [name={name}]") for name in ("province", "city")}
        district = page.locator("dialog [name=district]")
        page.fill("dialog [name=name]", "林小满")
        page.fill("dialog [name=phone]", "13800138000")
        page.fill("dialog [name=address]", "宁波江东区彩虹北路 1 号")
        expect(district).to_have_value("鄞州区")
        page.fill("dialog [name=address]", "杭州西湖区文三路 1 号 2 单元 301")
        expect(district).to_have_value("西湖区")
        expect(field["province"]).to_have_value("浙江省")
        expect(field["city"]).to_have_value("杭州市")
        expect(page.locator("dialog .understood")).to_be_empty()
        page.wait_for_selector("dialog .promise")
        page.click("dialog button[type=submit]")
        page.wait_for_selector("#timeline li")
        expect(page.locator(".recipient-words")).to_contain_text("浙江省 杭州市 西湖区 文三路")
        visitor.content()


@SCREENS
def test_places_of_one_name_are_offered_to_choose_from(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """M4: 鼓楼区 is in four cities; one click says which."""
    with browsing.as_("learner", newcomer(), screen) as visitor:
        page = visitor.page
        visitor.open("/")
        visitor.choose("notebook")
        page.fill("dialog [name=address]", "鼓楼区中山路 1 号")
        expect(page.locator("dialog .understood button")).to_have_count(4)
        visitor.fits()
        page.click("dialog .understood button:has-text('南京市')")
        expect(page.locator("dialog [name=province]")).to_have_value("江苏省")
        expect(page.locator("dialog .understood button")).to_have_count(0)
        assert visitor.complaints == []
