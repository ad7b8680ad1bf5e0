// The composer: choosing a reader changes the sentence, the verb and the draft; each reader keeps their own.
(() => {
  "use strict";
  for (const composer of document.querySelectorAll("[data-composer]")) {
    const area = composer.querySelector("textarea"), sees = composer.querySelector(".sees"), verb = composer.querySelector("[data-composer-verb]");
    if (!area) continue;
    const drafts = new Map();
    const chosen = () => composer.querySelector("input[name=reader]:checked");
    let reader = chosen();
    composer.addEventListener("change", (event) => {
      if (event.target.name !== "reader") return;
      drafts.set(reader.value, area.value);
      reader = chosen();
      area.value = drafts.get(reader.value) ?? reader.dataset.draft;
      sees.textContent = reader.dataset.sees;
      verb.textContent = reader.dataset.verb;
      verb.classList.toggle("primary", reader.classList.contains("outside-reader"));
    });
  }
  // Filters apply themselves; without scripts their button does.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-apply]");
    if (form) form.requestSubmit();
  });
})();
