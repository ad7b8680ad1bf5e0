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
      words.dir = "auto";
      words.className = "words";
      words.textContent = entry.words;
      where.className = "where";
      where.textContent = entry.where || "";
      row.append(words, where);
      row.addEventListener("click", () => choose(index));
      return row;
    }));
    if (!entries.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = "Nothing of this name. Try a number, a service, a shop or a person.";
      list.append(none);
    }
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
    if (entry.does === "post") post(entry.to);
    else if (entry.to) location.href = entry.to;
    else entry.run?.();
  }

  // As the form of a page would: with the proof that this page carries.
  function post(to) {
    const form = document.createElement("form"), proof = document.createElement("input");
    form.method = "post";
    form.action = to;
    proof.type = "hidden";
    proof.name = "csrf_token";
    proof.value = document.querySelector("input[name=csrf_token]")?.value ?? "";
    form.append(proof);
    document.body.append(form);
    form.submit();
  }

  async function find() {
    const words = field.value.trim().toLowerCase();
    const here = local().filter((entry) => entry.words.toLowerCase().includes(words));
    show(here);
    asked?.abort();
    if (words.length < 2 && !/^\d$/.test(words)) return;
    asked = new AbortController();
    try {
      const answer = await fetch(`${field.dataset.search}?query=${encodeURIComponent(words)}`, { signal: asked.signal, headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const { found } = await answer.json(); // [{ words, where, to }]
      const known = new Set(found.map((entry) => entry.to));
      show([...found, ...here.filter((entry) => !known.has(entry.to))]);
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
