// Shows octoload's page below Locust's tabs while its tab "Octopus" is chosen; without it nothing is asked.
"use strict";
(() => {
  const led = "led" in document.currentScript.dataset;
  const root = document.getElementById("root");
  const frame = document.createElement("iframe");
  frame.title = "Octopus: task queue and trial plan";
  frame.style.cssText = "display: block; width: 100%; min-height: 60vh; border: 0";
  const grow = new ResizeObserver(() => {
    frame.style.height = `${frame.contentDocument.documentElement.scrollHeight}px`;
  });
  frame.addEventListener("load", () => grow.observe(frame.contentDocument.body));

  // Locust's own buttons are refused while octoload leads: they say so.
  const keep = () => {
    for (const button of document.querySelectorAll("header button")) {
      if (!/^(edit|new|stop|reset)/i.test(button.textContent)) continue;
      button.disabled = true;
      button.style.opacity = 0.4;
      button.parentElement.title = "octoload run leads this load: Ctrl-C in its terminal ends it";
    }
  };
  const follow = () => {
    if (led) keep();
    const tabs = root.querySelector("[role=tablist]");
    const chosen = tabs && new URL(location.href).searchParams.get("tab") === "octopus";
    if (!chosen) frame.remove();
    else if (!frame.isConnected) {
      frame.src = "./octopus";
      (tabs.closest(".MuiContainer-root") ?? root).append(frame);
    }
  };
  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected"] };
  new MutationObserver(follow).observe(root, changes);
  follow();
})();
