// Live lists. The server sends a whole list again; here it is laid over the one on the page, row by row (each
// row has an id). A changed row changes in place, a new one slides in. While the pointer or the focus is in the
// list nothing moves: new rows wait behind a line that says how many, and focus is never lost.
(() => {
  "use strict";
  const held = new WeakMap(); // list → rows as they should be

  const isBusy = (list) => list.contains(document.activeElement) || list.matches(":hover");

  function lay(list, wanted) {
    const have = new Map([...list.children].filter((row) => row.id).map((row) => [row.id, row]));
    const busy = isBusy(list);
    let waiting = 0, before = list.firstElementChild;
    if (before?.classList.contains("waiting-rows-holder")) before = before.nextElementSibling;
    for (const row of wanted) {
      const old = have.get(row.id);
      if (!old) {
        if (busy) { waiting++; continue; }
        row.classList.add("live-in");
        list.insertBefore(row, before);
        window.htmx?.process(row);
        continue;
      }
      have.delete(row.id);
      if (old.isEqualNode(row)) { if (!busy && old !== before) list.insertBefore(old, before); before = busy ? before : old.nextElementSibling; continue; }
      if (old.contains(document.activeElement)) continue; // changes when the focus leaves
      for (const open of old.querySelectorAll("details[open][id]")) row.querySelector(`[id="${open.id}"]`)?.setAttribute("open", "");
      old.replaceWith(row);
      window.htmx?.process(row);
      if (!busy) { if (row !== before) list.insertBefore(row, before === old ? row.nextElementSibling : before); before = row.nextElementSibling; }
    }
    for (const gone of have.values()) if (!busy) gone.remove();
    held.set(list, busy ? wanted.map((row) => row.cloneNode(true)) : null);
    sayWaiting(list, waiting);
    window.muster.tick();
  }

  function sayWaiting(list, count) {
    const id = `${list.id}-waiting`;
    let line = document.getElementById(id);
    if (!count) { line?.remove(); return; }
    if (!line) {
      line = document.createElement("button");
      line.id = id;
      line.type = "button";
      line.className = "waiting-rows";
      line.addEventListener("click", () => { document.activeElement?.blur(); release(list, true); });
      (list.closest("table") ?? list).before(line);
    }
    line.textContent = `${count} new`;
  }

  function release(list, force) {
    const wanted = held.get(list);
    if (!wanted || (!force && isBusy(list))) return;
    held.set(list, null);
    lay(list, wanted);
  }

  // The answer may be the rows alone or the whole page that the list stands on.
  function rowsOf(list, html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const same = page.getElementById(list.id);
    if (same) return [...same.querySelectorAll("[data-live-row]")].map((row) => document.importNode(row, true));
    const holder = document.createElement(list.tagName === "TBODY" ? "table" : "template");
    holder.innerHTML = html;
    return [...(holder.content ?? holder).querySelectorAll("[data-live-row]")];
  }

  // htmx fetches what the stream says has changed; lists take the answer themselves.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const list = event.detail.target?.closest?.("[data-live-list]");
    if (!list || list !== event.detail.target || event.detail.isError) return;
    const rows = rowsOf(list, event.detail.serverResponse);
    event.detail.shouldSwap = false;
    lay(list, rows);
  });
  // A part of a page that is worked in keeps still until it is left; the next change brings it up to date.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const part = event.detail.target;
    if (part?.contains(document.activeElement) || part?.querySelector?.("details[open]")) event.detail.shouldSwap = false;
  });
  for (const type of ["pointerleave", "focusout"]) {
    document.addEventListener(type, (event) => {
      const list = event.target.closest?.("[data-live-list]");
      if (list) setTimeout(() => release(list, false), type === "focusout" ? 200 : 3000);
    }, true);
  }

  // What could not be fetched is fetched again: nobody would say a second time that it has changed.
  for (const type of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(type, ({ detail: { elt: part, xhr } }) => {
      const change = part?.getAttribute?.("hx-trigger");
      if (!change?.startsWith("sse:") || (xhr.status && xhr.status < 500)) return;
      setTimeout(() => { if (part.isConnected) window.htmx.trigger(part, change); }, 5000);
    });
  }

  // The stream carries the server's time, and says when it has stopped.
  let silent;
  const line = document.getElementById("not-live");
  function quiet() {
    clearTimeout(silent);
    silent = setTimeout(() => {
      if (!line) return;
      line.textContent = `Not live since ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
      document.querySelector(".situation")?.classList.add("stale");
    }, 10000);
  }
  document.addEventListener("htmx:sseOpen", () => {
    clearTimeout(silent);
    if (line) line.textContent = "";
    document.querySelector(".situation")?.classList.remove("stale");
  });
  document.addEventListener("htmx:sseError", quiet);
  document.addEventListener("htmx:sseMessage", (event) => {
    clearTimeout(silent);
    if (event.detail?.type === "time") window.muster.setServerTime(event.detail.data);
    window.muster.tick();
  });
  document.addEventListener("htmx:afterSwap", () => window.muster.tick());
})();
