// What a reader of a page would stumble over: several headings, no names, pale text (WCAG AA).
() => {
  const shown = (one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const colour = (text) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = text;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, under) => top.slice(0, 3).map((v, n) => (v * top[3] + under[n] * (255 - top[3])) / 255);
  const behind = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) layers.push(colour(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const pale = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !shown(one) || one.closest("[disabled], .visually-hidden, .skip, svg, .later")) continue;
    const style = getComputedStyle(one);
    const under = behind(one);
    const [a, b] = [light(over(colour(style.color), under)), light(under)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    const ratio = (a + .05) / (b + .05);
    if (ratio < (large ? 3 : 4.5)) pale.push(`${one.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  const named = (one) => one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim() || one.title;
  const unnamed = [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea")]
    .filter((one) => shown(one) && !named(one)).map((one) => one.outerHTML.slice(0, 80));
  return {headings: [...document.querySelectorAll("h1")].filter(shown).length, unnamed, pale: [...new Set(pale)]};
}
