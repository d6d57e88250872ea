// Pairs of texts that lie on each other: boxes of all visible text, as far as nothing clips them.
() => {
  const clipped = (box, element) => {
    for (let e = element; e && e !== document.body; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.clipPath !== "none" && style.position === "absolute") return null;
      if (style.overflowX !== "visible" && !(e instanceof SVGElement)) {
        const edge = e.getBoundingClientRect();
        box = { left: Math.max(box.left, edge.left), right: Math.min(box.right, edge.right),
                top: Math.max(box.top, edge.top), bottom: Math.min(box.bottom, edge.bottom) };
      }
    }
    return box.right - box.left > 1 && box.bottom - box.top > 1 ? box : null;
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.textContent.trim() || ["TITLE", "DESC", "STYLE"].includes(node.parentElement.tagName.toUpperCase())) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(node.parentElement).fontSize);
    for (const rect of range.getClientRects()) {
      // The box of a line is taller than its letters: what is left of it is about as high as capitals with descenders.
      const spare = Math.max(0, rect.height - 0.9 * size) / 2;
      const box = clipped({ left: rect.left, right: rect.right, top: rect.top + spare, bottom: rect.bottom - spare },
                          node.parentElement);
      if (box) texts.push({ ...box, node, text: node.textContent.trim().slice(0, 40) });
    }
  }
  texts.sort((a, b) => a.top - b.top);
  const found = [];
  texts.forEach((a, place) => {
    for (let next = place + 1; next < texts.length && texts[next].top < a.bottom - 2; next += 1) {
      const b = texts[next];
      if (b.node !== a.node && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2) found.push([a.text, b.text]);
    }
  });
  return found;
}
