// The keyboard. What has data-key="a" is done by that key; what has data-go="n" by G and then the letter.
// Single keys are off while a field has the focus, and can be turned off for good (WCAG 2.1.4).
(() => {
  "use strict";
  const STORED = "muster.single-keys";
  let goes = 0;

  const isField = (element) => element?.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  const singleKeys = () => localStorage.getItem(STORED) !== "off";
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);

  function move(step) {
    const all = rows();
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.max(0, Math.min(all.length - 1, at + step))];
    const target = next?.querySelector("a[href], button") ?? next;
    target?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function doKey(key) {
    const dialog = document.querySelector("dialog[open]");
    const target = [...(dialog ?? document).querySelectorAll(`[data-key="${CSS.escape(key)}"]`)]
      .find((element) => element.offsetParent !== null && !element.disabled);
    if (!target) return false;
    if (target.matches("textarea, input")) target.focus(); else target.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      window.muster.openPalette();
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && isField(event.target)) {
      event.target.form?.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isField(event.target) || !singleKeys()) return;
    if (document.querySelector("dialog[open]") && event.key !== "Escape") { return; }
    const key = event.key.toLowerCase();
    if (goes && Date.now() - goes < 1500) {
      goes = 0;
      const place = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
      if (place) { event.preventDefault(); place.click(); }
      return;
    }
    if (key === "g") { goes = Date.now(); return; }
    if (key === "?") { document.getElementById("keys")?.showModal(); return; }
    if (key === "/") {
      event.preventDefault();
      const field = document.querySelector("main [data-search-field]");
      if (field) field.focus(); else window.muster.openPalette();
      return;
    }
    if (key === "j" || key === "k") { event.preventDefault(); move(key === "j" ? 1 : -1); return; }
    if (key === "x") {
      const box = document.activeElement?.closest("[data-row]")?.querySelector("input[type=checkbox]");
      if (box) { box.click(); return; }
    }
    if (key.length === 1 && doKey(key)) event.preventDefault();
  });

  // Walls are walked with the arrows.
  document.addEventListener("keydown", (event) => {
    const wall = event.target.closest?.("[data-wall]");
    if (!wall || !event.key.startsWith("Arrow")) return;
    const tiles = [...wall.querySelectorAll(".tile")];
    const here = tiles.indexOf(event.target);
    const rect = event.target.getBoundingClientRect();
    let next;
    if (event.key === "ArrowRight") next = tiles[here + 1];
    else if (event.key === "ArrowLeft") next = tiles[here - 1];
    else {
      const down = event.key === "ArrowDown";
      next = tiles.filter((tile) => {
        const other = tile.getBoundingClientRect();
        return Math.abs(other.left - rect.left) < 4 && (down ? other.top > rect.top : other.top < rect.top);
      }).sort((a, b) => (down ? 1 : -1) * (a.getBoundingClientRect().top - b.getBoundingClientRect().top))[0];
    }
    if (next) { event.preventDefault(); next.focus(); }
  });

  // The list of keys names what this page can do.
  const list = document.getElementById("keys-list");
  if (list) {
    const seen = new Set();
    for (const element of document.querySelectorAll("main [data-key]")) {
      const key = element.dataset.key;
      if (seen.has(key)) continue;
      seen.add(key);
      const row = document.createElement("li"), name = document.createElement("span"), hint = document.createElement("kbd");
      name.textContent = element.dataset.keyName || element.getAttribute("aria-label") || element.firstChild?.textContent?.trim() || element.textContent.trim();
      hint.textContent = key.toUpperCase();
      row.append(name, hint);
      list.append(row);
    }
    for (const place of document.querySelectorAll(".rail [data-go]")) {
      const row = document.createElement("li"), name = document.createElement("span"), hints = document.createElement("span");
      name.textContent = place.textContent.trim();
      for (const key of ["G", place.dataset.go.toUpperCase()]) {
        const hint = document.createElement("kbd");
        hint.textContent = key;
        hints.append(hint, " ");
      }
      row.append(name, hints);
      list.append(row);
    }
  }
  const choice = document.getElementById("single-keys");
  if (choice) {
    choice.checked = singleKeys();
    choice.addEventListener("change", () => localStorage.setItem(STORED, choice.checked ? "on" : "off"));
  }
})();
