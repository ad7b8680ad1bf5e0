// The palette: any place and any action of this page at once, and what the server finds.
(() => {
  "use strict";
  const dialog = document.getElementById("palette");
  if (!dialog) { window.muster.openPalette = () => {}; return; }
  const field = dialog.querySelector("input"), list = dialog.querySelector("[role=listbox]");
  let at = 0, asked, entries = [];

  const local = () => [
    ...[...document.querySelectorAll("main [data-key]")].map((element) => ({
      words: element.dataset.keyName || element.firstChild?.textContent?.trim() || element.textContent.trim(),
      where: element.dataset.key.toUpperCase(), run: () => (element.matches("textarea, input") ? element.focus() : element.click()),
    })),
    ...[...document.querySelectorAll(".rail [data-go]")].map((place) => ({
      words: place.textContent.trim(), where: `G ${place.dataset.go.toUpperCase()}`, to: place.getAttribute("href"),
    })),
  ];

  function show(found) {
    entries = found.slice(0, 20);
    at = 0;
    list.replaceChildren(...entries.map((entry, index) => {
      const row = document.createElement("li");
      row.role = "option";
      row.id = `palette-${index}`;
      const words = document.createElement("span"), where = document.createElement("span");
      words.textContent = entry.words;
      where.className = "where";
      where.textContent = entry.where || "";
      row.append(words, where);
      row.addEventListener("click", () => choose(index));
      return row;
    }));
    mark();
  }

  function mark() {
    [...list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
    const row = list.children[at];
    if (row) { field.setAttribute("aria-activedescendant", row.id); row.scrollIntoView({ block: "nearest" }); }
    else field.removeAttribute("aria-activedescendant");
  }

  function choose(index) {
    const entry = entries[index];
    if (!entry) return;
    dialog.close();
    if (entry.to) location.href = entry.to; else entry.run?.();
  }

  async function find() {
    const words = field.value.trim().toLowerCase();
    const here = local().filter((entry) => entry.words.toLowerCase().includes(words));
    show(here);
    asked?.abort();
    if (words.length < 2) return;
    asked = new AbortController();
    try {
      const answer = await fetch(`${field.dataset.search}?query=${encodeURIComponent(words)}`, { signal: asked.signal, headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const { found } = await answer.json(); // [{ words, where, to }]
      show([...found, ...here]);
    } catch { /* typed on, or offline: what is on this page still works */ }
  }

  let waiting;
  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(find, 80); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = Math.max(0, Math.min(entries.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)));
      mark();
    } else if (event.key === "Enter") { event.preventDefault(); choose(at); }
  });
  dialog.addEventListener("muster:opened", () => { field.value = ""; find(); field.focus(); });
  window.muster.openPalette = () => { if (!dialog.open) { dialog.showModal(); dialog.dispatchEvent(new Event("muster:opened")); } };
})();
