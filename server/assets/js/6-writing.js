// The composer: choosing a reader changes the sentence, the verb and the draft; each reader keeps their own.
(() => {
  "use strict";
  for (const composer of document.querySelectorAll("[data-composer]")) {
    const area = composer.querySelector("textarea"), sees = composer.querySelector("[data-composer-sees]"), verb = composer.querySelector("[data-composer-verb]");
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
      promise();
    });
    // When the chosen reader hears next; the browser may have kept a choice over a renewal.
    function promise() {
      const select = composer.querySelector("select[name=promise]");
      if (!select) return;
      const picks = (reader.dataset.promises || "").split("\n").filter(Boolean).map((line) => line.split("|"));
      select.replaceChildren(...picks.map(([value, words]) => new Option(words, value)));
    }
    promise();
  }
  // Filters apply themselves; without scripts their button does.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-apply]");
    if (form) form.requestSubmit();
  });
})();

// Choosing rows shows what can be done with them together.
(() => {
  "use strict";
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form");
    const bar = form?.querySelector("[data-bulk]");
    if (!bar || !event.target.matches("input[type=checkbox]")) return;
    const chosen = form.querySelectorAll("tbody input[type=checkbox]:checked");
    bar.hidden = chosen.length === 0;
    bar.querySelector("[data-bulk-count]").textContent = `${chosen.length} chosen`;
    for (const row of form.querySelectorAll("tbody tr")) row.classList.toggle("chosen", !!row.querySelector("input:checked"));
  });
})();

// A field that asks is sent with Enter, though it grows with what is pasted into it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && event.target.matches?.("[data-submit-on-enter]")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

// A remedy of the checker is put in with one press; on a wide screen every audience is open.
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const remedy = event.target.closest("[data-replace-in]");
    if (!remedy) return;
    const field = document.getElementById(remedy.dataset.replaceIn);
    field.value = field.value.replaceAll(remedy.dataset.replaceFrom, remedy.dataset.replaceTo);
    field.closest("details").open = true;
    remedy.closest(".finding")?.remove();
    field.focus();
  });
  const wide = matchMedia("(min-width: 761px)");
  const open = () => { if (wide.matches) for (const part of document.querySelectorAll("[data-open-when-wide]")) part.open = true; };
  wide.addEventListener("change", open);
  open();
})();

// Back to the page that was refused, with everything that was typed still in it.
(() => {
  "use strict";
  const back = document.querySelector("[data-back]");
  if (!back || history.length < 2) return;
  back.hidden = false;
  back.addEventListener("click", () => history.back());
})();
