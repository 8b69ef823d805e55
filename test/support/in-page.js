// Runs in a page, as `inPage`: what a test asks about what is to be seen.

function luminance([r, g, b]) {
  const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);

function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const color = channels(getComputedStyle(at).backgroundColor);
    if (color[3] !== 0) return color;
  }
  return [255, 255, 255];
}

globalThis.inPage = {
  contentWidth: () => document.documentElement.scrollWidth,

  isLight: () => luminance(behind(document.body)) > 0.5,

  /** Texts whose contrast with what is behind them is below 4.5, that of WCAG 2.2, level AA. */
  faintTexts: () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent.trim();
      const element = walker.currentNode.parentElement;
      if (text === '' || element.tagName === 'STYLE') continue;
      const style = getComputedStyle(element);
      const ink = channels(element instanceof SVGElement ? style.fill : style.color);
      const [dark, light] = [luminance(ink), luminance(behind(element))].sort((a, b) => a - b);
      if ((light + 0.05) / (dark + 0.05) < 4.5) faint.push(`${text}: ${ink}`);
    }
    return faint;
  },

  /** Texts of pictures that are shown and reach beyond their picture; empty ones are no texts. */
  clippedTexts: () =>
    [...document.querySelectorAll('figure svg')].flatMap((svg) => {
      const frame = svg.getBoundingClientRect();
      const beyond = (box) =>
        box.left < frame.left - 1 ||
        box.right > frame.right + 1 ||
        box.top < frame.top - 1 ||
        box.bottom > frame.bottom + 1;
      return [...svg.querySelectorAll('text')]
        .filter((text) => text.textContent !== '' && beyond(text.getBoundingClientRect()))
        .map((text) => text.textContent);
    }),

  shownCurves: () =>
    [...document.querySelectorAll('.axes > section')].filter((s) => s.offsetHeight > 0).map((s) => s.id),
};
