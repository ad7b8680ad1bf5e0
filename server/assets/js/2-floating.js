// Dialogs, menus and toasts.
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    // Without this script both are links: the address names the dialog, and the look shows it.
    const opener = event.target.closest("[data-open]");
    if (opener) {
      event.preventDefault();
      const dialog = document.getElementById(opener.dataset.open);
      if (dialog && !dialog.open) { dialog.showModal(); dialog.dispatchEvent(new Event("muster:opened")); }
    }
    const closer = event.target.closest("[data-close]");
    if (closer) { event.preventDefault(); closer.closest("dialog")?.close(); }
    if (event.target instanceof HTMLDialogElement) event.target.close(); // the ground round it
    for (const menu of document.querySelectorAll(".more-menu[open], .situation details[open], .phone-bar details[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const copier = event.target.closest("[data-copy]");
    if (copier) {
      const source = document.getElementById(copier.dataset.copy);
      navigator.clipboard?.writeText((source?.value ?? source?.textContent ?? "").trim())
        .then(() => window.muster.toast("Copied"));
    }
    if (event.target.closest("[data-print]")) window.print();
    const shower = event.target.closest("[data-show-password]");
    if (shower) {
      const field = document.getElementById(shower.dataset.showPassword);
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      shower.textContent = shown ? "Show" : "Hide";
    }
  });

  // Where places scroll sideways, the one that is shown is in sight.
  for (const here of document.querySelectorAll(".settings-places [aria-current], .tabs [aria-current]")) {
    const row = here.parentElement;
    if (row.scrollWidth > row.clientWidth) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  }

  // An address may name the dialog that it is about: /console/incidents#raise.
  function openNamed() {
    const dialog = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
    dialog.showModal();
    dialog.dispatchEvent(new Event("muster:opened"));
    history.replaceState(null, "", location.pathname + location.search);
  }
  window.addEventListener("hashchange", openNamed);
  document.addEventListener("DOMContentLoaded", openNamed);

  // They act as buttons do, also for whoever presses Space.
  function named() {
    for (const link of document.querySelectorAll("a[data-open]:not([role]), a[data-close]:not([role])")) {
      link.setAttribute("role", "button");
      if (link.dataset.open) link.setAttribute("aria-haspopup", "dialog");
    }
  }
  named();
  document.addEventListener("htmx:afterSettle", named);
  document.addEventListener("keydown", (event) => {
    const link = event.key === " " && event.target.closest?.("a[data-open], a[data-close]");
    if (link) { event.preventDefault(); link.click(); }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector(".more-menu[open], .situation details[open], .phone-bar details[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // A question before something is taken away: <form data-question="Remove Maya?">. Its button says the same as
  // the one that was pressed. Without scripts the form is sent at once.
  document.addEventListener("submit", (event) => {
    const form = event.target, question = form.dataset.question, dialog = document.getElementById("really");
    if (!question || !dialog || form.dataset.answered) return;
    event.preventDefault();
    dialog.querySelector("h2").textContent = question;
    dialog.querySelector("[data-really]").textContent = event.submitter?.textContent ?? "Yes";
    dialog.returnValue = "";
    dialog.showModal();
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "yes") return;
      form.dataset.answered = "yes";
      form.requestSubmit(event.submitter);
      delete form.dataset.answered; // the page may come back, and asks again
    }, { once: true });
  });

  // Toasts only confirm; errors stand beside the thing.
  window.muster.toast = (words) => {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.textContent = words;
    document.getElementById("toasts")?.append(toast);
    setTimeout(() => toast.remove(), 5000);
  };
  document.body.addEventListener("muster:toast", (event) => window.muster.toast(String(event.detail?.value ?? "")));
})();
