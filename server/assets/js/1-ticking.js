// Times keep counting from the server's time. The words are those of console/kit/time.rs.
(() => {
  "use strict";
  const body = document.body;
  const speed = Number(body.dataset.clockSpeed || 1);
  let server = Date.parse(body.dataset.now || "") || Date.now();
  let local = performance.now();

  const now = () => server + (performance.now() - local) * speed;

  function durationWords(seconds) {
    seconds = Math.max(0, Math.floor(seconds));
    const minutes = Math.floor(seconds / 60), hours = Math.floor(seconds / 3600), days = Math.floor(seconds / 86400);
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${minutes} min`;
    if (seconds < 86400) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
    return days === 1 ? "1 day" : `${days} days`;
  }

  function write(element, words) {
    if (element.textContent !== words) element.textContent = words;
  }

  function tick() {
    const at = now();
    for (const time of document.querySelectorAll("time[data-tick]")) {
      const seconds = (at - Date.parse(time.dateTime)) / 1000;
      const ago = time.dataset.tick === "ago";
      write(time, ago && seconds < 5 ? "just now" : durationWords(seconds) + (ago ? " ago" : ""));
    }
    for (const countdown of document.querySelectorAll(".countdown")) {
      const due = Date.parse(countdown.dataset.due), from = Date.parse(countdown.dataset.from);
      const left = Math.floor((due - at) / 1000), late = left < 0;
      const said = countdown.dataset.words;
      const words = late ? `${durationWords(-left)} late`
        : said === "in" ? `in ${durationWords(left)}`
        : said === "left" ? `${durationWords(left)} left` : `by ${countdown.dataset.by}`;
      const time = countdown.querySelector("time");
      if (time) write(time, words);
      countdown.classList.toggle("late", late);
      const ring = countdown.querySelector(".ring .left");
      const share = Math.max(0, Math.min(100, Math.round((due - at) / Math.max(1000, due - from) * 100)));
      if (ring) ring.setAttribute("stroke-dasharray", `${share} 100`);
    }
  }

  // A page that is being looked at counts each second; a hidden one catches up when it is seen again.
  setInterval(() => { if (!document.hidden) tick(); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });

  window.muster = {
    now,
    tick,
    setServerTime(text) {
      const time = Date.parse(text);
      if (time) { server = time; local = performance.now(); }
    },
  };
})();
